/** The run's own code yields to others with Node's `setImmediate`; a browser has a message to itself for that. */
const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port1.onmessage = () => waiting.shift()?.();

function later(callback: () => void): void {
  waiting.push(callback);
  port2.postMessage(null);
}

Object.assign(globalThis, { setImmediate: later });

/** Whether the client of a request is still there. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** How often a connection that the client closed on its side is tried. */
const probeMilliseconds = 250;

/**
 * Fires when the client is gone before its answer is whole. A client that only closed its sending side still reads,
 * and nothing but writing tells it from one that left: an interim response, or a comment in an event stream, is ignored
 * by the one and answered with a reset by the other.
 */
export function clientGone(incoming: IncomingMessage, outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const { socket } = incoming;
  let timer: NodeJS.Timeout | undefined;
  const probe = () => {
    if (outgoing.writableEnded) return;
    if (!outgoing.headersSent) outgoing.writeProcessing();
    else if (isEventStream(outgoing)) outgoing.write(": \n\n");
  };
  const halfClosed = () => {
    timer ??= setInterval(probe, probeMilliseconds).unref();
    probe();
  };
  const closed = () => {
    clearInterval(timer);
    socket.off("end", halfClosed);
    outgoing.off("close", closed);
    socket.off("close", closed);
    if (!outgoing.writableFinished) controller.abort(new Error("the client closed its connection"));
  };
  socket.once("end", halfClosed);
  socket.once("close", closed);
  outgoing.once("close", closed);
  if (socket.destroyed) closed();
  else if (socket.readableEnded) halfClosed();
  return controller.signal;
}

function isEventStream(outgoing: ServerResponse): boolean {
  return String(outgoing.getHeader("content-type") ?? "").startsWith("text/event-stream");
}

// A streaming client as light as can be, so that the server is what is measured.
import { Agent, request } from "node:http";
import { echoQuestion } from "../../dist/testing/echo-world.js";

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/**
 * One streamed chat completion. `onFrame(data, milliseconds)` sees each frame;
 * Resolves with status, texts by choice, whether it ended whole, and error objects that came.
 */
export function chat(url, { nonce, steps, onFrame, signal, key, ...body }) {
  const content = echoQuestion(nonce, steps);
  const text = JSON.stringify({
    model: "echo",
    messages: [{ role: "user", content }],
    stream: true,
    ...body,
  });
  return new Promise((resolve) => {
    const answer = { status: 0, headers: {}, texts: [], frames: 0, isWhole: false, errors: [] };
    const settle = (error) => {
      if (error && !answer.isWhole) answer.failure = error.code ?? error.message;
      resolve(answer);
    };
    const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
    const outgoing = request(`${url}/v1/chat/completions`, { method: "POST", headers, agent, signal });
    outgoing.on("error", settle);
    outgoing.on("response", (response) => {
      answer.status = response.statusCode;
      answer.headers = response.headers;
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        if (response.statusCode === 200) rest = take(rest + chunk, answer, onFrame);
        else rest += chunk;
      });
      response.on("error", settle);
      response.on("end", () => {
        if (answer.status === 400) throw new Error(`the load test asks wrongly: ${rest}`);
        if (answer.status !== 200) answer.errors.push(rest);
        settle();
      });
    });
    outgoing.end(text);
  });
}

/** Takes whole frames off the front of the text. */
function take(text, answer, onFrame) {
  let from = 0;
  for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n", from)) {
    const frame = text.slice(from, end);
    from = end + 2;
    if (!frame.startsWith("data: ")) continue;
    const data = frame.slice(6);
    answer.frames++;
    onFrame?.(data, performance.now());
    if (data === "[DONE]") answer.isWhole = true;
    else read(JSON.parse(data), answer);
  }
  return text.slice(from);
}

function read({ error, choices = [] }, answer) {
  if (error) answer.errors.push(error);
  for (const { index, delta } of choices) {
    answer.texts[index] = (answer.texts[index] ?? "") + (delta?.content ?? "");
  }
}

/** Starts a run that goes on unwatched. */
export async function keptRun(url, { nonce, steps }) {
  const messages = [{ role: "user", content: echoQuestion(nonce, steps) }];
  const answered = await fetch(`${url}/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "echo", messages, max_tokens: 100_000 }),
  });
  if (answered.status !== 202) throw new Error(`the load test asks wrongly: ${await answered.text()}`);
  return answered.json();
}

/** Reads an answer at so many bytes per second until the signal fires; resolves with how many it had. */
export function trickle(url, bytesPerSecond, signal) {
  return new Promise((resolve) => {
    let taken = 0;
    const done = () => resolve(taken);
    const outgoing = request(url, { signal });
    outgoing.on("error", done);
    outgoing.on("response", (response) => {
      response.on("error", done);
      response.on("end", done);
      response.on("data", (chunk) => {
        taken += chunk.length;
        response.pause();
        setTimeout(() => response.resume(), (1000 * chunk.length) / bytesPerSecond);
      });
    });
    outgoing.end();
  });
}

// A streaming client as light as can be, so that the server is what is measured.
import { Agent, request } from "node:http";
import { echoQuestion } from "../../dist/testing/echo-world.js";

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/**
 * One streamed chat completion. `onFrame(data, milliseconds)` sees each frame; `pace` reads so many bytes per second.
 * Resolves with status, texts by choice, whether it ended whole, and error objects that came.
 */
export function chat(url, { nonce, steps, onFrame, pace, signal, onOpen, ...body }) {
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
    const headers = { "content-type": "application/json" };
    const outgoing = request(`${url}/v1/chat/completions`, { method: "POST", headers, agent, signal });
    outgoing.on("error", settle);
    outgoing.on("response", (response) => {
      answer.status = response.statusCode;
      answer.headers = response.headers;
      onOpen?.(answer);
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        if (response.statusCode === 200) rest = take(rest + chunk, answer, onFrame);
        else rest += chunk;
        if (pace) throttle(response, chunk.length / pace);
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

function throttle(response, seconds) {
  response.pause();
  setTimeout(() => response.resume(), seconds * 1000);
}

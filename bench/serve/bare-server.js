// What this machine does at most: a bare HTTP server that sends small frames to each client, a write each, as fast as
// it can. Prints one line with its address.
import { createServer } from "node:http";

const frame = `data: ${"x".repeat(300)}\n\n`;
const server = createServer((_, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let left = 200;
  const send = () => {
    if (left-- === 0) response.end("data: [DONE]\n\n");
    else if (response.write(frame)) setImmediate(send);
    else response.once("drain", send);
  };
  send();
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});

/** What can go wrong between here and a server: cases 73 to 79 of the reliability list, and its chaos test L10. */
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { StepwrightError } from "../../src/core/errors.js";
import { isDenied } from "../../src/models/remote/address.js";
import { Client } from "../../src/models/remote/client.js";
import { PassingFailure } from "../../src/models/remote/failure.js";
import { askedPatience, waitBefore } from "../../src/models/remote/patience.js";
import {
  type RemoteSettings,
  remoteSettings,
  usualRemoteSettings,
} from "../../src/models/remote/settings.js";
import { type Answering, FaultServer, json, pause, stream } from "./fault-server.js";

const quick: RemoteSettings = {
  ...usualRemoteSettings,
  connectSeconds: 0.5,
  firstByteSeconds: 0.3,
  idleSeconds: 0.2,
  baseSeconds: 0.01,
  longestWaitSeconds: 0.3,
  breakerFailures: 100,
  coolSeconds: 0.3,
};

async function withServer(
  answer: Answering,
  work: (client: Client, server: FaultServer) => Promise<void>,
  settings: Partial<RemoteSettings> = {},
): Promise<void> {
  await using server = await FaultServer.start(answer);
  const client = new Client(server.origin, { ...quick, ...settings });
  try {
    await work(client, server);
  } finally {
    client.close();
  }
}

async function failure(work: Promise<unknown>): Promise<StepwrightError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!StepwrightError.is(error)) throw new Error(`no typed error but ${String(error)}`);
  return error;
}

async function read(client: Client, signal?: AbortSignal): Promise<unknown[]> {
  const events = await client.events({ path: "/stream", body: {}, signal });
  const all: unknown[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("73: an upstream in trouble is a typed error in time", () => {
  test("refuses the connection", async () => {
    const closed = await FaultServer.start(() => {});
    const { origin } = closed;
    await closed[Symbol.asyncDispose]();
    const error = await failure(new Client(origin, quick).json({ path: "/" }));
    expect(error).toMatchObject({ code: "remote-unavailable", subject: origin });
    expect(error.message).toContain("refuses the connection");
  });

  test("accepts the connection and says nothing", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const client = new Client(`http://127.0.0.1:${port}`, { ...quick, attempts: 1 });
    expect((await failure(client.json({ path: "/" }))).message).toContain("does not answer");
    client.close();
    silent.close();
  });

  test.each<[string, Answering]>([
    [
      "resets after the head",
      (_, response) => {
        response.writeHead(200);
        response.flushHeaders();
        response.destroy();
      },
    ],
    [
      "resets in the middle of the text",
      (_, response) => {
        const send = stream(response);
        send({ n: 1 });
        setTimeout(() => response.destroy(), 20);
      },
    ],
    [
      "says a byte now and then",
      async (_, response) => {
        stream(response);
        for (const byte of "data: {}") {
          response.write(byte);
          await pause(0.25);
          if (response.destroyed) return;
        }
      },
    ],
  ])("%s", async (_, answer) => {
    await withServer(answer, async (client) => {
      expect(await failure(read(client))).toMatchObject({ code: expect.stringMatching(/^remote-/) });
    });
  });

  test("never ends: the limit of an answer ends it, and memory stays flat", async () => {
    const flood: Answering = async (_, response) => {
      const send = stream(response);
      while (!response.destroyed) {
        for (let count = 0; count < 100; count++) send({ text: "x".repeat(1000) });
        if (response.writableNeedDrain)
          await Promise.race([new Promise((done) => response.once("drain", done)), pause(0.2)]);
        await pause(0);
      }
    };
    await withServer(
      flood,
      async (client) => {
        const before = process.memoryUsage().rss;
        expect(await failure(countEvents(client))).toMatchObject({ code: "remote-refused" });
        expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
      },
      { mostBytes: 20 * 2 ** 20 },
    );
  });

  test("a line without end is cut at its limit", async () => {
    const line: Answering = async (_, response) => {
      stream(response);
      response.write("data: ");
      while (!response.destroyed) {
        response.write("x".repeat(2 ** 20));
        await pause(0);
      }
    };
    await withServer(
      line,
      async (client) => {
        const error = await failure(read(client));
        expect(error.code).toBe("remote-invalid");
        expect(error.message).toContain("too long");
      },
      { mostLineBytes: 2 ** 21 },
    );
  });

  test.each<[string, Answering]>([
    [
      "200 with HTML",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/html" });
        response.end("<html>");
      },
    ],
    [
      "200 with broken JSON",
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end('{"a":');
      },
    ],
  ])("%s", async (_, answer) => {
    await withServer(answer, async (client, server) => {
      expect(await failure(client.json({ path: "/" }))).toMatchObject({ code: "remote-invalid" });
      expect(await failure(read(client))).toMatchObject({ code: "remote-invalid" });
      expect(server.heard).toHaveLength(2);
    });
  });

  test("an event that is not JSON, and a line that is no event", async () => {
    for (const line of ["data: {broken\n\n", "<html>\n\n", "data: \u{fffd}\xff\n\n"]) {
      const answer: Answering = (_, response) => {
        stream(response);
        response.end(Buffer.from(line, "latin1"));
      };
      await withServer(answer, async (client) => {
        expect(await failure(read(client))).toMatchObject({ code: "remote-invalid" });
      });
    }
  });
});

async function countEvents(client: Client): Promise<number> {
  let count = 0;
  for await (const _ of await client.events({ path: "/", body: {} })) count++;
  return count;
}

describe("74: the patience that a server asks for", () => {
  const now = Date.UTC(2026, 10, 22, 12);
  test.each([
    ["1", 1],
    ["0.5", 0.5],
    [new Date(now + 7000).toUTCString(), 7],
    [new Date(now - 7000).toUTCString(), 0],
    ["1000000000", 1e9],
    ["soon", undefined],
    ["-5", undefined],
    ["12 apples", undefined],
  ])("retry-after: %s", (value, seconds) => {
    expect(askedPatience({ "retry-after": value }, now)).toBe(seconds);
  });

  test("is capped; without any, the wait is random up to a bound that doubles", () => {
    const asked = new PassingFailure("", { afterSeconds: 1e9 });
    expect(waitBefore(1, asked, quick)).toBe(quick.longestWaitSeconds);
    const waits = [1, 2, 3].map((attempt) => waitBefore(attempt, new PassingFailure(""), quick, () => 1));
    expect(waits).toEqual([0.01, 0.02, 0.04]);
    expect(waitBefore(3, new PassingFailure(""), quick, () => 0)).toBe(0);
  });

  test("429 twice, then the answer", async () => {
    const times: number[] = [];
    const answer: Answering = (_, response, number) => {
      times.push(performance.now());
      if (number < 2) json(response, { error: { message: "slow down" } }, 429, { "retry-after": "0.1" });
      else json(response, { fine: true });
    };
    await withServer(answer, async (client) => {
      expect((await client.json({ path: "/" })).value).toEqual({ fine: true });
      expect(times[2]! - times[0]!).toBeGreaterThan(190);
    });
  });
});

describe("75: attempts", () => {
  test("500, 500, 200 is one result, and the lost attempts are told", async () => {
    const answer: Answering = (_, response, number) => {
      if (number < 2) json(response, { error: { message: "out of luck" } }, 500);
      else json(response, { fine: true });
    };
    await withServer(answer, async (client) => {
      expect(await client.json({ path: "/" })).toEqual({ value: { fine: true }, lostAttempts: 2 });
    });
  });

  test("no attempt is repeated once text was given out", async () => {
    const answer: Answering = (_, response) => {
      const send = stream(response);
      send({ text: "a" });
      send({ error: { message: "the engine died", code: 500 } });
      response.end();
    };
    await withServer(answer, async (client, server) => {
      const events = await client.events({ path: "/", body: {} });
      const iterator = events[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toEqual({ text: "a" });
      const error = await failure(iterator.next());
      expect(error).toMatchObject({ code: "remote-unavailable" });
      expect(error.message).toContain("the engine died");
      expect(server.heard).toHaveLength(1);
    });
  });

  test("what the caller can mend is not repeated, and told with the server's words", async () => {
    const answer: Answering = (_, response) =>
      json(response, { error: { message: "no such\nmodel\u001b[31m" } }, 404);
    await withServer(answer, async (client, server) => {
      const error = await failure(client.json({ path: "/" }));
      expect(error.code).toBe("remote-refused");
      expect(error.message).toBe(`${server.origin} answered 404: no such model [31m`);
      expect(server.heard).toHaveLength(1);
    });
  });
});

describe("76: the breaker", () => {
  test("opens, fails fast, probes once, closes; other origins are not touched", async () => {
    let down = true;
    const answer: Answering = async (_, response) => {
      if (!down) return json(response, { fine: true });
      response.destroy();
    };
    await withServer(
      answer,
      async (client, server) => {
        for (let call = 0; call < 5; call++) await failure(client.json({ path: "/" }));
        const reached = server.heard.length;
        expect(reached).toBeLessThanOrEqual(5);
        for (let call = 0; call < 20; call++) {
          expect((await failure(client.json({ path: "/" }))).message).toContain("tried again");
        }
        expect(server.heard).toHaveLength(reached);
        await pause(0.7);
        await Promise.all(Array.from({ length: 8 }, () => failure(client.json({ path: "/" }))));
        expect(server.heard).toHaveLength(reached + 1);
        await pause(0.7);
        down = false;
        await client.json({ path: "/" });
        await Promise.all(Array.from({ length: 8 }, () => client.json({ path: "/" })));
      },
      { breakerFailures: 5, attempts: 1, coolSeconds: 0.6 },
    );
  });
});

describe("77: addresses", () => {
  test("a redirect is not followed, and no key goes with it", async () => {
    await using other = await FaultServer.start((_, response) => json(response, {}));
    await using server = await FaultServer.start((_, response) => {
      response.writeHead(302, { location: other.origin });
      response.end();
    });
    const keys = new Map([[server.origin, "secret"]]);
    const client = new Client(server.origin, { ...quick, keys });
    expect((await failure(client.json({ path: "/" }))).message).toContain("redirects");
    expect(server.heard[0]!.headers.authorization).toBe("Bearer secret");
    expect(other.heard).toHaveLength(0);
    client.close();
  });

  test.each([
    ["169.254.169.254", true],
    ["::ffff:169.254.1.1", true],
    ["fe80::1", true],
    ["0.0.0.0", true],
    ["::", true],
    ["224.0.0.1", true],
    ["no address", true],
    ["127.0.0.1", false],
    ["10.1.2.3", false],
    ["::1", false],
    ["93.184.216.34", false],
  ])("%s is denied: %s", (address, denied) => {
    expect(isDenied(address)).toBe(denied);
  });

  test("a denied address is refused before anything is sent", async () => {
    for (const host of ["169.254.169.254", "[::ffff:a9fe:a9fe]", "0.0.0.0"]) {
      const error = await failure(new Client(`http://${host}`, quick).json({ path: "/" }));
      expect(error.code).toBe("remote-refused");
    }
  });

  test("keys belong to one origin, and a wrong list is refused without showing it", () => {
    const { keys } = remoteSettings({ STEPWRIGHT_REMOTE_KEYS: "https://a.example=k1, http://b:8000/=k=2" });
    expect([...keys]).toEqual([
      ["https://a.example", "k1"],
      ["http://b:8000", "k=2"],
    ]);
    for (const wrong of ["k1", "ftp://a=secret", "https://a/path=secret"]) {
      expect(() => remoteSettings({ STEPWRIGHT_REMOTE_KEYS: wrong })).toThrow(/ORIGIN=KEY/);
    }
  });
});

describe("limits of concurrency", () => {
  test("no more requests at a time than allowed; who gives up waiting is gone", async () => {
    const answer: Answering = async (_, response) => {
      await pause(0.02);
      json(response, {});
    };
    await withServer(
      answer,
      async (client, server) => {
        const patience = new AbortController();
        const waiting = Array.from({ length: 12 }, () => client.json({ path: "/" }));
        const gone = client.json({ path: "/", signal: patience.signal });
        patience.abort(new Error("no patience"));
        await expect(gone).rejects.toThrow("no patience");
        await Promise.all(waiting);
        expect(server.mostOpen).toBe(3);
        expect(server.heard).toHaveLength(12);
      },
      { concurrency: 3 },
    );
  });

  test("an abort closes the connection", async () => {
    const answer: Answering = async (_, response) => {
      const send = stream(response);
      while (!response.destroyed) {
        send({ text: "a" });
        await pause(0.01);
      }
    };
    await withServer(answer, async (client, server) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error("enough")), 50);
      await expect(read(client, controller.signal)).rejects.toThrow("enough");
      await pause(0.1);
      expect(server.open).toBe(0);
    });
  });
});

describe("L10: one answer in five fails, with 64 callers", () => {
  test("the share of successes is what three attempts give", async () => {
    let state = 7;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const answer: Answering = async (_, response) => {
      await pause(random() * 0.005);
      const luck = random();
      if (luck < 0.1) response.destroy();
      else if (luck < 0.2) json(response, {}, 500);
      else json(response, {});
    };
    await withServer(
      answer,
      async (client, server) => {
        const each = 16;
        const outcomes = await Promise.all(
          Array.from({ length: 64 }, async () => {
            let good = 0;
            for (let call = 0; call < each; call++) {
              good += await client.json({ path: "/" }).then(
                () => 1,
                () => 0,
              );
            }
            return good;
          }),
        );
        const share = outcomes.reduce((sum, good) => sum + good, 0) / (64 * each);
        expect(share).toBeGreaterThan(0.992 - 0.02);
        expect(share).toBeLessThanOrEqual(1);
        // 1 + 0.2 + 0.04 attempts a call.
        expect(server.heard.length / (64 * each)).toBeCloseTo(1.24, 1);
      },
      { breakerFailures: 1e9, firstByteSeconds: 30, connectSeconds: 30 },
    );
  });

  test("a black hole costs few calls: the breaker fails the rest at once", async () => {
    await withServer(
      () => {},
      async (client, server) => {
        const calls = 400;
        let failed = 0;
        for (let call = 0; call < calls; call++) {
          failed += await client.json({ path: "/" }).then(
            () => 0,
            () => 1,
          );
        }
        expect(failed).toBe(calls);
        expect(server.heard.length).toBeLessThan(calls * 0.05);
      },
      { breakerFailures: 5, attempts: 1, firstByteSeconds: 0.05, coolSeconds: 60 },
    );
  });
});

/** The one place that talks to the server. */

export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

export async function getJson<Value>(path: string, signal?: AbortSignal): Promise<Value> {
  return (await ask(path, signal ? { signal } : {})).json() as Promise<Value>;
}

export async function postJson<Value>(path: string, body: unknown): Promise<Value> {
  const response = await ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json() as Promise<Value>;
}

export async function remove(path: string): Promise<void> {
  await ask(path, { method: "DELETE" });
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiProblem(0, "the server does not answer", "start it again; the studio reconnects by itself");
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  let told: { message?: unknown; remedy?: unknown } = {};
  try {
    told = Object(Object(JSON.parse(text)).error);
  } catch {}
  const message = typeof told.message === "string" ? told.message : `the server answers ${response.status}`;
  const remedy = typeof told.remedy === "string" ? told.remedy : remedies[response.status];
  throw new ApiProblem(response.status, message, remedy ?? "");
}

const remedies: Readonly<Record<number, string>> = {
  401: "open the link that stepwright printed when it started",
  404: "look at the lists: it may have been removed",
};

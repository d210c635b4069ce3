/** Which methods a path takes, for 405 and OPTIONS. */

export class RouteTable {
  readonly #routes: { readonly pattern: string; readonly matches: RegExp; readonly methods: Set<string> }[] =
    [];

  constructor(routes: readonly { readonly method: string; readonly path: string }[]) {
    for (const { method, path } of routes) {
      if (method === "ALL") continue;
      let route = this.#routes.find(({ pattern }) => pattern === path);
      if (!route) {
        route = { pattern: path, matches: expression(path), methods: new Set() };
        this.#routes.push(route);
      }
      route.methods.add(method);
      if (method === "GET") route.methods.add("HEAD");
    }
  }

  /** Empty for an unknown path. */
  methods(path: string): string[] {
    const found = this.#routes.filter(({ matches }) => matches.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))];
  }

  /** The path as it was declared, so that ids do not multiply what is counted. */
  pattern(path: string): string {
    return this.#routes.find(({ matches }) => matches.test(path))?.pattern ?? "unknown";
  }
}

/** Of `/v1/runs/:id/events`, `/v1/models/:id{.+}` and `/studio/*`. */
function expression(path: string): RegExp {
  const parts = path.split("/").map((part) => {
    if (part === "*") return ".*";
    const parameter = /^:\w+(?:\{(.+)\})?$/.exec(part);
    if (parameter) return parameter[1] ?? "[^/]+";
    return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}

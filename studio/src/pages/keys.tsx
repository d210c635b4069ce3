import { keyHelp } from "../keys.js";

export function Keys() {
  return (
    <div class="page narrow">
      <h1>Keys</h1>
      <dl class="keys">
        {keyHelp.map(([keys, words]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

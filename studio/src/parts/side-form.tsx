/** The choice of a preset and its options, for one of two sides or for the only one. */
import { groupBy } from "../../../src/core/group-by.js";
import type { ServedModel } from "../api/types.js";
import { OptionForm } from "./option-form.js";

export type Options = Readonly<Record<string, unknown>>;

export interface Side {
  readonly model: string;
  readonly options: Options;
}

const kindWords: Readonly<Record<string, string>> = {
  plain: "one model alone",
  step: "step by step",
  token: "token by token",
  search: "search",
};

export function SideForm({
  name,
  side,
  presets,
  onChange,
}: {
  name: string;
  side: Side;
  presets: readonly ServedModel[];
  onChange(side: Side): void;
}) {
  const preset = presets.find(({ id }) => id === side.model)?.stepwright;
  const pairs = new Set(presets.map(({ stepwright }) => stepwright?.pair));
  const groups = [...groupBy(presets, ({ stepwright }) => stepwright?.kind ?? "")];
  return (
    <fieldset class="panel side-form">
      <legend class="unseen">{name}</legend>
      <div class="field">
        <label for={`${name}-model`}>{name}</label>
        <select
          id={`${name}-model`}
          value={side.model}
          onChange={({ currentTarget }) => onChange({ model: currentTarget.value, options: {} })}
        >
          {groups.map(([kind, own]) => (
            <optgroup key={kind} label={kindWords[kind] ?? kind}>
              {own.map(({ id, stepwright }) => (
                <option key={id} value={id}>
                  {pairs.size > 1 || stepwright === undefined ? id : stepwright.method}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </div>
      {preset && (
        <>
          <p class="essence">{preset.essence}</p>
          <p class="soft roles">
            {Object.entries(preset.models).map(([role, model]) => (
              <span key={role}>
                {role} <b>{model}</b>
              </span>
            ))}
          </p>
          <details class="more-options">
            <summary>
              Options{Object.keys(side.options).length > 0 && `: ${Object.keys(side.options).length} set`}
            </summary>
            <OptionForm
              prefix={name}
              schema={withDefaults(preset.options, preset.defaults)}
              values={side.options}
              onChange={(options) => onChange({ ...side, options })}
            />
          </details>
        </>
      )}
    </fieldset>
  );
}

/** The preset's own options are what holds where nothing is set. */
function withDefaults(schema: NonNullable<ServedModel["stepwright"]>["options"], defaults: Options = {}) {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, field]) => [
      name,
      name in defaults ? { ...field, default: defaults[name] } : field,
    ]),
  );
  return { properties };
}

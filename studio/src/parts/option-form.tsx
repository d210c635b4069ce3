/** A form out of a JSON Schema: what a method can be told, with its defaults and what each option means. */
import type { OptionField, OptionSchema } from "../api/types.js";

interface OptionFormProps {
  readonly schema: OptionSchema;
  readonly values: Readonly<Record<string, unknown>>;
  readonly prefix: string;
  onChange(values: Readonly<Record<string, unknown>>): void;
}

export function OptionForm({ schema, values, prefix, onChange }: OptionFormProps) {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return <p class="soft">This method has no options.</p>;
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...rest } = values;
    onChange(value === undefined ? rest : { ...rest, [name]: value });
  };
  return (
    <div class="option-form">
      {fields.map(([name, field]) => (
        <Field
          key={name}
          id={`${prefix}-${name}`}
          name={name}
          field={field}
          value={values[name]}
          onChange={(value) => set(name, value)}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly field: OptionField;
  readonly value: unknown;
  onChange(value: unknown): void;
}

function Field({ id, name, field, value, onChange }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{words(name)}</label>
      <Input id={id} field={field} value={value} onChange={onChange} />
      {field.description && (
        <p class="soft" id={`${id}-help`}>
          {field.description}
        </p>
      )}
    </div>
  );
}

function Input({ id, field, value, onChange }: Omit<FieldProps, "name">) {
  const help = field.description ? { "aria-describedby": `${id}-help` } : {};
  const types = [field.type ?? []].flat();
  const words = (field.anyOf ?? []).flatMap((one) => (typeof one.const === "string" ? [one.const] : []));
  if (words.length > 0) {
    return (
      <>
        <input
          id={id}
          {...help}
          type="text"
          list={`${id}-words`}
          placeholder={field.default === undefined ? "" : textOf(field.default)}
          value={value === undefined ? "" : textOf(value)}
          onInput={({ currentTarget }) => onChange(numberOrText(currentTarget.value))}
        />
        <datalist id={`${id}-words`}>
          {words.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      </>
    );
  }
  if (field.enum) {
    return (
      <select
        id={id}
        {...help}
        value={String(value ?? field.default ?? "")}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        {field.enum.map((choice) => (
          <option key={String(choice)} value={String(choice)}>
            {String(choice)}
          </option>
        ))}
      </select>
    );
  }
  if (types.includes("boolean")) {
    return (
      <input
        id={id}
        {...help}
        type="checkbox"
        checked={Boolean(value ?? field.default)}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    );
  }
  if (types.includes("number") || types.includes("integer")) {
    return (
      <input
        id={id}
        {...help}
        type="number"
        inputMode="decimal"
        step={types.includes("integer") ? 1 : "any"}
        {...(field.minimum !== undefined && { min: field.minimum })}
        {...(field.maximum !== undefined && { max: Math.min(field.maximum, Number.MAX_SAFE_INTEGER) })}
        placeholder={field.default === undefined ? "" : String(field.default)}
        value={value === undefined ? "" : String(value)}
        onInput={({ currentTarget }) =>
          onChange(currentTarget.value === "" ? undefined : Number(currentTarget.value))
        }
      />
    );
  }
  return (
    <input
      id={id}
      {...help}
      type="text"
      placeholder={field.default === undefined ? "" : textOf(field.default)}
      value={value === undefined ? "" : textOf(value)}
      onInput={({ currentTarget }) => onChange(parsedText(currentTarget.value))}
    />
  );
}

/** "maxSteps" as "max steps". */
export function words(name: string): string {
  return name.replace(
    /([a-z])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function numberOrText(text: string): unknown {
  if (text.trim() === "") return undefined;
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/** Lists and objects are written as JSON; everything else is a text. */
function parsedText(text: string): unknown {
  if (text === "") return undefined;
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

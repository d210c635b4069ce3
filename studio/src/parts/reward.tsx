/** A reward as a number and as a length. */
export function Reward({ value }: { readonly value: number | null }) {
  if (value === null) return <span class="reward none" />;
  return (
    <span class="reward" title={`reward ${value}`}>
      <span class="reward-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(0, Math.min(1, value)) * 100}%` }} />
      </span>
      <span class="reward-number">
        <span class="unseen">reward </span>
        {value.toFixed(2)}
      </span>
    </span>
  );
}

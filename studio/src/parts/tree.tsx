/** The search as a tree: kept, pruned and open branches, and the path to the answer. */
import { type HierarchyPointNode, hierarchy, tree as tidy } from "d3-hierarchy";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TreeNode } from "../reading/views.js";
import { count, visible, writerClass } from "../words.js";
import { Reward } from "./reward.js";
import { Writer } from "./writer.js";

interface TreeProps {
  readonly tops: readonly TreeNode[];
  readonly focus: string | null;
  onFocus(id: string | null): void;
}

const rowHeight = 27;
const columnWidth = 96;

export function Tree({ tops, focus, onFocus }: TreeProps) {
  const [selected, select] = useState<string | null>(null);
  const found = useMemo(() => find(tops, selected), [tops, selected]);
  const shown = found ?? answerOf(tops);
  return (
    <div class="tree-view">
      <div class="tree-legend soft">
        <span>
          <i class="leaf committed" aria-hidden="true" /> kept
        </span>
        <span>
          <i class="leaf pruned" aria-hidden="true" /> pruned
        </span>
        <span>
          <i class="leaf open" aria-hidden="true" /> open
        </span>
        <span>
          <i class="chosen-line" aria-hidden="true" /> path of the answer
        </span>
        {focus !== null && (
          <button type="button" class="quiet" onClick={() => onFocus(null)}>
            whole tree
          </button>
        )}
      </div>
      <div>
        {tops.map((top) => (
          <Drawing key={top.id} top={top} selected={shown?.id ?? null} onSelect={select} onFocus={onFocus} />
        ))}
      </div>
      {shown && (
        <aside class="panel node-panel" aria-live="polite">
          <div class="node-head">
            <Writer origin={shown.origin} />
            <span class="soft">
              step {shown.number}, {count(shown.tokens, "token")}, {stateWords[shown.state]}
            </span>
            <Reward value={shown.reward} />
          </div>
          <div class="step-text" dir="auto">
            {visible(shown.text.trim())}
          </div>
          {shown.offered !== null && (
            <p class="soft">offered as an answer, worth {shown.offered.toPrecision(3)} to the method</p>
          )}
          {shown.hidden > 0 && (
            <button type="button" class="quiet" onClick={() => onFocus(shown.id)}>
              draw the tree from here ({count(shown.hidden, "branch", "branches")} not drawn)
            </button>
          )}
        </aside>
      )}
    </div>
  );
}

const stateWords = { writing: "being written", open: "open", committed: "kept", pruned: "pruned" } as const;

interface DrawingProps {
  readonly top: TreeNode;
  readonly selected: string | null;
  onSelect(id: string): void;
  onFocus(id: string): void;
}

function Drawing({ top, selected, onSelect, onFocus }: DrawingProps) {
  const { nodes, width, height, shift } = useMemo(() => layOut(top), [top]);
  const box = useRef<HTMLDivElement>(null);
  // What is selected is in sight; at first that is the answer.
  useEffect(() => {
    const node = nodes.find(({ data }) => data.id === selected);
    const { current } = box;
    if (!node || !current) return;
    const [x, y] = [node.y + 18, node.x + shift];
    if (x < current.scrollLeft || x > current.scrollLeft + current.clientWidth - 60)
      current.scrollLeft = x - current.clientWidth / 2;
    if (y < current.scrollTop + 30 || y > current.scrollTop + current.clientHeight - 30)
      current.scrollTop = y - current.clientHeight / 2;
  }, [nodes, selected, shift]);
  const move = (event: KeyboardEvent) => {
    const index = nodes.findIndex(({ data }) => data.id === selected);
    const next = target(event.key, nodes, index);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onSelect(next.data.id);
  };
  return (
    <div
      class="tree-scroll"
      ref={box}
      role="tree"
      aria-label={`A tree of ${count(nodes.length - 1, "drawn step")}; the arrow keys walk through it`}
      aria-activedescendant={selected === null ? undefined : leafId(selected)}
      tabIndex={0}
      onKeyDown={move}
    >
      <svg role="none" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <g transform={`translate(18 ${shift})`}>
          {nodes.slice(1).map((node) => (
            <path
              key={`to ${node.data.id}`}
              class={`edge ${node.data.state} ${node.data.chosen ? "chosen" : ""}`}
              d={edge(node)}
            />
          ))}
          {nodes.map((node) => (
            <Leaf
              key={node.data.id}
              node={node}
              isSelected={node.data.id === selected}
              onSelect={onSelect}
              onFocus={onFocus}
            />
          ))}
        </g>
      </svg>
    </div>
  );
}

interface LeafProps {
  readonly node: HierarchyPointNode<TreeNode>;
  readonly isSelected: boolean;
  onSelect(id: string): void;
  onFocus(id: string): void;
}

function Leaf({ node, isSelected, onSelect, onFocus }: LeafProps) {
  const { data } = node;
  const { hidden, reward, origin, state, chosen } = data;
  const kind = node.parent ? writerClass(origin) : "root";
  const judged = reward === null ? "" : `, reward ${reward.toFixed(2)}`;
  const words = node.parent ? `${origin}${judged}: ${visible(data.text.trim())}` : "the question";
  return (
    <g
      role="treeitem"
      id={leafId(data.id)}
      tabIndex={-1}
      aria-level={node.depth + 1}
      aria-selected={isSelected}
      aria-label={words}
      class={`leaf ${kind} ${state} ${chosen ? "chosen" : ""} ${isSelected ? "selected" : ""}`}
      transform={`translate(${node.y} ${node.x})`}
      onClick={() => onSelect(data.id)}
      onDblClick={() => hidden > 0 && onFocus(data.id)}
    >
      <title>{words}</title>
      <circle r={isSelected ? 12 : 9} class="halo" />
      {kind === "target" ? (
        <rect x="-5.5" y="-5.5" width="11" height="11" />
      ) : kind === "other" ? (
        <path d="M0-7 7 0 0 7-7 0Z" />
      ) : (
        <circle r={kind === "root" ? 3.5 : 6} />
      )}
      {reward !== null && (
        <text {...(node.children ? { y: -10, "text-anchor": "middle" } : { x: isSelected ? 16 : 11, y: 4 })}>
          {reward.toFixed(2)}
        </text>
      )}
      {hidden > 0 && (
        <text
          class="hidden-count"
          {...(node.children ? { x: 11, y: 18 } : { x: reward === null ? 11 : 42, y: 4 })}
        >
          +{hidden.toLocaleString("en")}
        </text>
      )}
    </g>
  );
}

function leafId(id: string): string {
  return `leaf-${id || "root"}`;
}

function layOut(top: TreeNode) {
  const root = tidy<TreeNode>().nodeSize([rowHeight, columnWidth])(hierarchy(top));
  const nodes = root.descendants();
  const xs = nodes.map(({ x }) => x);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  return {
    nodes,
    width: Math.max(...nodes.map(({ y }) => y)) + 80,
    height: most - least + 44,
    shift: 22 - least,
  };
}

function edge({ parent, x, y }: HierarchyPointNode<TreeNode>): string {
  const from = parent!;
  const middle = (from.y + y) / 2;
  return `M${from.y} ${from.x}C${middle} ${from.x} ${middle} ${x} ${y} ${x}`;
}

/** Left and right along a branch, up and down within a generation. */
function target(key: string, nodes: readonly HierarchyPointNode<TreeNode>[], index: number) {
  const at = nodes[index] ?? nodes[0]!;
  const level = nodes.filter(({ depth }) => depth === at.depth).sort((a, b) => a.x - b.x);
  const place = level.indexOf(at);
  switch (key) {
    case "ArrowLeft":
      return at.parent;
    case "ArrowRight":
      return at.children?.find(({ data }) => data.chosen) ?? at.children?.[0];
    case "ArrowUp":
      return level[place - 1];
    case "ArrowDown":
      return level[place + 1];
    default:
      return undefined;
  }
}

function find(tops: readonly TreeNode[], id: string | null): TreeNode | null {
  const waiting = [...tops];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (node.id === id) return node;
    waiting.push(...node.children);
  }
  return null;
}

function answerOf(tops: readonly TreeNode[]): TreeNode | null {
  let node: TreeNode | undefined = tops.find(({ children }) => children.some(({ chosen }) => chosen));
  while (node) {
    const next: TreeNode | undefined = node.children.find(({ chosen }) => chosen);
    if (!next) return node;
    node = next;
  }
  return null;
}

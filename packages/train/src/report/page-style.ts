/**
 * The look the pages share: tokens for light and dark, type, cards, charts, slider. System fonts only.
 */

/** CSS, inlined by html.ts. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #f8f7f4; --card: #fff; --ink: #1c1d20; --soft: #62666e; --line: #e5e2dc;
  --a: #3457c9; --b: #c2530f; --good: #177245;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121316; --card: #1a1c20; --ink: #ecebe7; --soft: #a2a6ae; --line: #2c2f35;
    --a: #8fa9ff; --b: #ffa066; --good: #63cf98;
  }
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 1160px; margin: 0 auto; padding: clamp(28px, 6vw, 72px) clamp(16px, 4vw, 40px) 80px; }
h1 {
  margin: 0; max-width: 24ch; font-size: clamp(1.9rem, 1.2rem + 3.2vw, 3.3rem);
  line-height: 1.08; letter-spacing: -0.028em; font-weight: 680; text-wrap: balance;
}
h2 { margin: clamp(48px, 7vw, 80px) 0 6px; font-size: 1.5rem; line-height: 1.2; letter-spacing: -0.015em; }
h3 { margin: 0; font-size: 1rem; line-height: 1.3; }
p { margin: 0; }
h2 + p { max-width: 68ch; margin-bottom: 22px; color: var(--soft); }
.lead { max-width: 62ch; margin-top: 18px; font-size: clamp(1.05rem, 1rem + 0.35vw, 1.22rem); color: var(--soft); }
.lead b { color: var(--ink); font-weight: 600; }
.soft { color: var(--soft); font-size: 0.875rem; line-height: 1.45; }
.card { margin: 0; padding: 18px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 0.875rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)); gap: 1px; margin: 32px 0 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.facts div { padding: 14px 16px; box-shadow: 0 0 0 1px var(--line); }
.facts dt { color: var(--soft); font-size: 0.8125rem; }
.facts dd { margin: 2px 0 0; font-size: 1.15rem; font-weight: 600; letter-spacing: -0.01em; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 310px), 1fr)); gap: 16px; }
.chart { display: flex; flex-direction: column; gap: 14px; min-width: 0; }
.keys { display: flex; flex-wrap: wrap; gap: 0 14px; margin-top: 3px; font-size: 0.8125rem; color: var(--soft); }
.key b { color: var(--ink); font-weight: 600; }
.key::before { content: ''; display: inline-block; width: 12px; height: 3px; margin-right: 6px; border-radius: 2px;
  vertical-align: middle; background: currentColor; }
.key.a::before { background: var(--a); }
.key.b::before { background: var(--b); }
.plot { position: relative; height: 170px; margin: 2px 0 20px 38px; border-bottom: 1px solid var(--soft);
  touch-action: pan-y; cursor: crosshair; }
.plot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: hidden; }
.plot path { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; stroke: currentColor; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .raw { stroke-width: 1; opacity: 0.28; }
.plot .smooth { stroke-width: 2; }
.plot g.a { color: var(--a); }
.plot g.b { color: var(--b); }
.plot span { position: absolute; font-size: 0.75rem; line-height: 1; color: var(--soft); white-space: nowrap; }
.plot .y { right: 100%; margin-right: 8px; transform: translateY(-50%); }
.plot .x { top: 100%; margin-top: 7px; transform: translateX(-50%); }
.cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--ink); pointer-events: none; }
.cursor::after { content: attr(data-step); position: absolute; top: 0; left: 6px; font: 600 0.75rem/1 system-ui;
  white-space: nowrap; color: var(--ink); background: var(--card); padding: 2px; }
.cursor.left::after { left: auto; right: 6px; }
.stack { display: grid; }
.shot { grid-area: 1 / 1; z-index: 1; display: grid; grid-template-columns: 1fr 1fr; background: var(--card); }
.shot.below { display: grid !important; z-index: 0; }
.half p { display: grid; grid-template-columns: repeat(3, 1fr); margin-bottom: 8px; font-size: 0.8125rem; line-height: 1.25;
  color: var(--soft); text-align: center; }
.half i { display: block; aspect-ratio: var(--ratio); background: var(--picture) 0 0 / 200% 100% no-repeat; print-color-adjust: exact; }
.half + .half i { background-position: 100% 0; }
.samples figcaption { display: flex; align-items: center; gap: 16px; margin-top: 16px; }
.samples label { flex: 1; display: flex; align-items: center; gap: 14px; min-width: 0; font-size: 0.9375rem; white-space: nowrap; }
.samples output { display: inline-block; min-width: 6ch; font-weight: 600; }
@media (max-width: 640px) {
  .samples { padding: 12px; }
  .shot { grid-template-columns: 1fr; gap: 16px; }
}
button { padding: 4px 14px; border: 1px solid var(--line); border-radius: 999px; background: var(--card); color: var(--ink);
  font: inherit; font-size: 0.8125rem; cursor: pointer; }
button:disabled { opacity: 0.4; cursor: default; }
[data-play] { min-width: 68px; }
input[type='range'] { flex: 1; min-width: 0; height: 28px; accent-color: var(--a); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
th, td { padding: 9px 14px 9px 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
th { font-weight: 500; color: var(--soft); }
.values td, .values thead th:not(:first-child) { text-align: right; padding: 9px 0 9px 18px; white-space: nowrap; }
.values th .soft { display: block; font-weight: 400; }
.values tbody th { color: var(--ink); white-space: nowrap; }
.values .words { text-align: left !important; white-space: normal !important; min-width: 22ch; }
* + .values { margin-top: 16px; }
@media (max-width: 640px) {
  .values table { font-size: 0.8125rem; }
  .values td, .values thead th:not(:first-child) { padding-left: 10px; }
  .values th { padding-right: 0; }
  .values .soft { font-size: 0.75rem; }
  .values .words { min-width: 12ch; }
}
.groups { columns: 3 300px; column-gap: 16px; }
.groups .card { break-inside: avoid; margin-bottom: 16px; padding-bottom: 8px; }
.rows { margin: 10px 0 0; font-size: 0.9375rem; }
.rows div { display: flex; justify-content: space-between; gap: 18px; padding: 7px 0; border-top: 1px solid var(--line); }
.rows dt { color: var(--soft); }
.rows dd { margin: 0; text-align: right; font-weight: 500; overflow-wrap: anywhere; }
.status { display: flex; min-height: 1.5em; margin-bottom: 14px; color: var(--soft); font-size: 0.875rem; }
.status [data-live]::before { content: ''; display: inline-block; width: 8px; height: 8px; margin-right: 8px; border-radius: 50%; background: var(--soft); }
.status [data-live='on']::before { background: var(--good); }
.status [data-live='lost']::before { background: var(--b); }
.status [data-live='on'] { color: var(--good); font-weight: 600; }
.progress { height: 6px; margin-top: 28px; border-radius: 3px; background: var(--line); overflow: hidden; }
.progress i { display: block; height: 100%; border-radius: 3px; background: var(--a); }
.progress + .facts { margin-top: 16px; grid-template-columns: repeat(auto-fit, minmax(max(136px, 22%), 1fr)); }
.facts small { color: var(--soft); font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; white-space: nowrap; }
.dot { position: absolute; width: 9px; height: 9px; margin: -4.5px; border-radius: 50%; border: 2px solid var(--card); }
.dot.a { background: var(--a); }
.dot.b { background: var(--b); }
:focus-visible { outline: 2px solid var(--a); outline-offset: 2px; }
footer { margin-top: 72px; padding-top: 20px; border-top: 1px solid var(--line); color: var(--soft); font-size: 0.875rem; }
@media print { body { background: #fff; } .card { break-inside: avoid; } }
`;

/** Light and dark by the reader's system. Each kind has one colour, in the map and in the table. */
export const style = `
:root { --ink: #1c2430; --soft: #5b6675; --paper: #ffffff; --line: #d9dee6; --row: #f5f7fa;
  --image: #2f6fb2; --plugin: #2c8a5b; --chart: #b06a1c; --shared: #7b5aa6; --other: #69707c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa6b5; --paper: #12161c; --line: #2c3440; --row: #181e26;
    --image: #3a78b8; --plugin: #2f8f60; --chart: #b06f26; --shared: #8463b0; --other: #6b7480; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 28px 0 8px; } h2::first-letter, p::first-letter { text-transform: uppercase; }
p, dl { color: var(--soft); margin: 0 0 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; } dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; border-radius: 6px; }
svg rect { stroke: var(--paper); stroke-width: 1.5; } svg text { fill: #ffffff; font-size: 13px; pointer-events: none; }
svg text.bytes { opacity: .8; font-size: 11px; }
rect.image { fill: var(--image); } rect.plugin { fill: var(--plugin); } rect.chart { fill: var(--chart); }
rect.shared { fill: var(--shared); } rect.other { fill: var(--other); } svg g:hover rect { opacity: .85; }
ul.legend { list-style: none; padding: 0; margin: 10px 0 0; display: flex; flex-wrap: wrap; gap: 4px 20px; }
.mark { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
.mark.image { background: var(--image); } .mark.plugin { background: var(--plugin); } .mark.chart { background: var(--chart); }
.mark.shared { background: var(--shared); } .mark.other { background: var(--other); }
.mark.added { background: var(--plugin); } .mark.removed { background: #b3403a; } .mark.changed { background: var(--chart); }
.mark.done { background: var(--plugin); } .mark.warning { background: var(--chart); } .mark.error { background: #b3403a; } .mark.note { background: var(--other); }
p.outcome { color: var(--ink); border-left: 4px solid var(--other); padding: 6px 12px; background: var(--row); }
p.outcome.done { border-color: var(--plugin); } p.outcome.findings, p.outcome.interrupted { border-color: var(--chart); } p.outcome.failed { border-color: #b3403a; }
pre { background: var(--row); padding: 8px 12px; border-radius: 4px; overflow-x: auto; font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:hover { background: var(--row); } td.number { text-align: right; white-space: nowrap; }
td.name { overflow-wrap: anywhere; min-width: 240px; } td.mono { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: 12px; white-space: nowrap; }
td.kind { white-space: nowrap; }
th button { all: unset; cursor: pointer; font-weight: 600; white-space: nowrap; } th button:focus-visible { outline: 2px solid var(--image); }
th[aria-sort=ascending] button::after { content: " \\2191"; } th[aria-sort=descending] button::after { content: " \\2193"; }
@media print { th button::after { content: none; } main { padding: 0; } }
`;

/** Colours follow what the reader's system is set to. */
export const STYLE = `
:root{--bg:#fff;--fg:#1b1f24;--dim:#68707a;--line:#d5d9de;--box:#eef1f4;--ok:#1a7f37;--rejected:#9a6700;--failed:#cf222e;--expired:#8250df;--event:#0a63c9;--own:#4c8dff;--waited:#c8ced6;--calls:#b7d0ff}
@media (prefers-color-scheme:dark){:root{--bg:#0e1116;--fg:#e3e8ee;--dim:#8d96a0;--line:#30363d;--box:#1c2128;--ok:#3fb950;--rejected:#d29922;--failed:#ff7b72;--expired:#bc8cff;--event:#79b8ff;--own:#3b78e7;--waited:#484f58;--calls:#22406f}}
body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.5 system-ui,sans-serif;width:max-content;min-width:100%}
header,footer,.more{padding:0 24px;max-width:min(110ch,calc(100vw - 48px));position:sticky;left:0}
h1{font-size:20px;margin:20px 0 0}h2{font-size:15px;margin:18px 0 4px}
p{margin:4px 0}.note{color:var(--dim)}
.findings{margin:0;padding-left:20px}a{color:var(--event)}
.ok{color:var(--ok)}.rejected{color:var(--rejected)}.failed,.unreadable,.open{color:var(--failed)}.expired{color:var(--expired)}
table{border-collapse:collapse}th{text-align:left;font-weight:500}td{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
th,td{padding:2px 12px 2px 0}.bar{text-align:left;white-space:nowrap}.bar i{display:inline-block;height:10px}
i.own{background:var(--own)}i.waited{background:var(--waited)}i.copies{background:var(--dim);height:2px;vertical-align:4px}
footer{padding-bottom:40px;overflow-x:auto}
pre{margin:0 0 8px;padding:6px 10px;background:var(--box);white-space:pre-wrap;overflow-wrap:anywhere}pre:target{background:var(--calls)}
main{margin-top:16px}.heads{position:sticky;top:0;background:var(--bg);border-bottom:1px solid var(--line);height:44px}
svg{display:block;font:12px system-ui,sans-serif}
svg text{fill:var(--fg);paint-order:stroke;stroke:var(--bg);stroke-width:3px}svg .dim{fill:var(--dim)}svg .head{font-weight:600}
.life{stroke:var(--line);stroke-width:1}
.arrow{stroke:var(--fg);stroke-width:1.3;fill:none}.back{stroke-dasharray:5 4}
.tip{fill:var(--fg);stroke:none}
svg .s-ok{fill:var(--ok)}svg .s-rejected{fill:var(--rejected)}svg .s-failed,svg .s-unreadable,svg .s-open{fill:var(--failed)}svg .s-expired{fill:var(--expired)}svg .s-event{fill:var(--event)}
.l-rejected{stroke:var(--rejected)}.l-failed,.l-unreadable,.l-open{stroke:var(--failed)}.l-expired{stroke:var(--expired)}
.busy{fill:var(--own);fill-opacity:.55}.wait{fill:var(--waited)}.row:hover .hit{fill:var(--box)}.hit{fill:transparent}
.row:target .hit{fill:var(--calls)}
`.trim();

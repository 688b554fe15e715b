/** Colours that keep their contrast in light and dark; nothing is said by colour alone. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b2330;--soft:#5c6878;--paper:#f6f7f9;--card:#fff;--line:#dde2e8;
--good:#14804a;--doubtful:#a86400;--bad:#c4262e;--accent:#2962d9;--second:#8b5cf6}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#98a4b3;--paper:#12161c;--card:#1b2129;--line:#2d3540;
--good:#3fbf7f;--doubtful:#e0a030;--bad:#ff6b6b;--accent:#7aa5ff;--second:#b79cff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
.old main{opacity:.5}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1rem;margin-bottom:1.5rem}
h1{font-size:1.6rem;margin:0}
h1.good::before,h1.bad::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.5em;background:currentColor}
h1.good::before{color:var(--good)}h1.bad::before{color:var(--bad)}
h2{font-size:1rem;margin:2rem 0 .5rem}
small,header span,td:first-child,.path span,footer{color:var(--soft)}
.path{list-style:none;display:flex;margin:0;padding:0;gap:3.5rem}
.path li{position:relative;flex:1;background:var(--card);border:1px solid var(--line);border-top:4px solid var(--soft);border-radius:.5rem;padding:.6rem .7rem;min-width:0}
.path li b,.path li span{display:block}.path li span{font-size:.85rem}
.path li.good{border-top-color:var(--good)}.path li.doubtful{border-top-color:var(--doubtful)}.path li.bad{border-top-color:var(--bad)}
.path li.bad span:last-child{color:var(--bad)}.path li.doubtful span:last-child{color:var(--doubtful)}
.path li+li::before{content:"→";position:absolute;left:-2.4rem;top:50%;transform:translateY(-50%);color:var(--soft);font-size:1.3rem}
.path .flow{position:absolute;left:-3.5rem;width:3.5rem;top:.2rem;text-align:center;font-size:.75rem;line-height:1.1}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem;margin-top:1.5rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem}
figcaption{font-weight:600;margin-bottom:.5rem}figcaption small{display:block;font-weight:400}
svg{display:block;width:100%;height:9rem}
svg path{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}
.grid{stroke:var(--line);stroke-width:1!important}
path.p50{stroke:var(--accent)}path.p99{stroke:var(--second);stroke-dasharray:5 3}
rect.delivered{fill:var(--good)}rect.token-dead{fill:var(--soft)}rect.throttled{fill:var(--second)}rect.unreachable{fill:var(--doubtful)}rect.rejected{fill:var(--bad)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin:.5rem 0 0;padding:0;font-size:.8rem;color:var(--soft)}
.legend li::before{content:"";display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.4em}
.p50::before{background:var(--accent)}.p99::before{background:var(--second)}.delivered::before{background:var(--good)}
.token-dead::before{background:var(--soft)}.throttled::before{background:var(--second)}.unreachable::before{background:var(--doubtful)}.rejected::before{background:var(--bad)}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
th,td{text-align:left;padding:.5rem .7rem;border-top:1px solid var(--line)}th{font-weight:600;border:0}
td.good{color:var(--good)}td.doubtful{color:var(--doubtful)}td.bad{color:var(--bad)}
footer{margin-top:2rem;font-size:.85rem}
@media(max-width:46rem){.path{flex-direction:column;gap:2rem}
.path li+li::before{content:"↓";left:1rem;top:-1.8rem;transform:none}
.path .flow{left:2.6rem;width:auto;top:-1.55rem;font-size:.85rem}}
`;

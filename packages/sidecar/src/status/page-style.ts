/** Colours that keep their contrast in light and dark; nothing is said by colour alone. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#17202e;--soft:#566274;--paper:#f3f5f8;--card:#fff;--line:#dfe4ea;--grid:#e8ecf1;
--good:#12794a;--good-soft:#e2f4ea;--doubtful:#955700;--doubtful-soft:#fdf0da;--bad:#b91f2a;--bad-soft:#fde8e8;
--bar:#2fa36b;--accent:#2962d9;--second:#8b5cf6;--shadow:0 1px 2px #1b233014,0 4px 16px #1b23300a}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#9aa6b6;--paper:#0f1319;--card:#181e26;--line:#2a323d;--grid:#252c36;
--good:#4cc98a;--good-soft:#12301f;--doubtful:#e8ad4a;--doubtful-soft:#362708;--bad:#ff7b7b;--bad-soft:#3b1518;
--bar:#3bb377;--accent:#7aa5ff;--second:#b79cff;--shadow:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
main,footer{max-width:68rem;margin:0 auto;padding:1.25rem 1rem}
main{display:grid;gap:1rem}
main>*{min-width:0}
header,figure,section,.station{background:var(--card);border:1px solid var(--line);border-radius:.9rem;box-shadow:var(--shadow)}
.icon{width:1.5rem;height:1.5rem;flex:none}
.icon path{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
header{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:1rem 2rem;padding:1.1rem 1.25rem}
.state{display:flex;align-items:center;gap:1rem}
.state .icon{width:3.2rem;height:3.2rem;padding:.75rem;border-radius:50%}
.good .state .icon{background:var(--good-soft);color:var(--good)}.bad .state .icon{background:var(--bad-soft);color:var(--bad)}
.doubtful .state .icon{background:var(--doubtful-soft);color:var(--doubtful)}
.state .icon path{stroke-width:3}
h1{font-size:1.65rem;line-height:1.15;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
header p{margin:.2rem 0 0;color:var(--soft);overflow-wrap:anywhere}header p b{font-weight:600;color:var(--ink)}
header .asof{font-size:.82rem;font-variant-numeric:tabular-nums}
.figures{display:grid;grid-template-columns:repeat(4,auto);gap:.5rem 1.9rem;margin:0}
dt{font-size:.8rem;color:var(--soft)}dd{margin:0;font-size:1.35rem;font-weight:600;line-height:1.2;font-variant-numeric:tabular-nums}
.why{margin:0;padding:.8rem 1.25rem .8rem 2.4rem;border-radius:.9rem;background:var(--bad-soft);color:var(--bad);font-weight:500}
.why.doubtful{background:var(--doubtful-soft);color:var(--doubtful)}
.path{list-style:none;display:flex;align-items:stretch;margin:.6rem 0;padding:0}
.station{flex:1 1 0;min-width:0;padding:.9rem .6rem;text-align:center;display:flex;flex-direction:column;align-items:center;position:relative}
.station .icon{width:2.6rem;height:2.6rem;padding:.6rem;border-radius:.8rem;background:var(--grid);color:var(--soft);margin-bottom:.4rem}
.station span{font-size:.85rem;line-height:1.3;color:var(--soft)}
.station::after{content:"";position:absolute;top:.7rem;right:.7rem;width:.6rem;height:.6rem;border-radius:50%;background:var(--line)}
.station.good .icon{background:var(--good-soft);color:var(--good)}.station.good::after{background:var(--bar)}
.station.doubtful .icon{background:var(--doubtful-soft);color:var(--doubtful)}.station.doubtful::after{background:var(--doubtful)}
.station.bad .icon{background:var(--bad-soft);color:var(--bad)}.station.bad::after{background:var(--bad)}
.station.bad span{color:var(--bad)}.station.doubtful span{color:var(--doubtful)}
.arrow{flex:0 0 4.6rem;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:.15rem}
.arrow::after{content:"";height:1rem}
.arrow span{font-size:.8rem;height:1rem;line-height:1rem;white-space:nowrap;color:var(--soft);font-variant-numeric:tabular-nums}
.arrow svg{width:3.75rem;height:.75rem;display:block}
.arrow path{fill:none;stroke:var(--soft);stroke-width:1.6;opacity:.45;stroke-linecap:round;stroke-linejoin:round}
.flowing span{color:var(--ink);font-weight:600}
.flowing path{stroke:var(--bar);opacity:1}.flowing path:not(.head){stroke-dasharray:5 5;animation:flow .5s linear infinite}
@keyframes flow{to{stroke-dashoffset:-10}}
@media(prefers-reduced-motion:reduce){.flowing path:not(.head){animation:none;stroke-dasharray:none}}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1rem}
figure,section{margin:0;padding:1rem 1.25rem;min-width:0}
figcaption,h2{font-size:1rem;font-weight:600;margin:0 0 .75rem}figcaption small{font-weight:400;color:var(--soft);margin-left:.3rem}
.plot{position:relative;display:grid;grid-template-columns:3.4rem 1fr;height:10rem}
.plot svg{width:100%;height:100%;display:block;overflow:visible}
.plot p span{background:var(--card);padding:0 .5rem}.plot p{position:absolute;inset:0 0 0 3.4rem;display:grid;place-items:center;margin:0;font-size:.9rem;color:var(--soft)}
.scale{display:flex;flex-direction:column;justify-content:space-between;margin:-.55rem .6rem -.55rem 0;text-align:right}
.scale,.hour{font-size:.75rem;line-height:1.1rem;white-space:nowrap;color:var(--soft);font-variant-numeric:tabular-nums}
.hour{display:flex;justify-content:space-between;margin:.4rem 0 0 3.4rem}
.plot path{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round;stroke-linecap:round}
.plot .grid{stroke:var(--grid);stroke-width:1}
.plot .dot{stroke-width:7;stroke-dasharray:none}
path.p50{stroke:var(--accent)}path.p99{stroke:var(--second);stroke-dasharray:4 5}
.plot rect{shape-rendering:crispEdges}rect.before{fill:var(--grid)}rect.delivered{fill:var(--bar)}rect.token-dead{fill:var(--soft)}rect.throttled{fill:var(--second)}rect.unreachable{fill:var(--doubtful)}rect.rejected{fill:var(--bad)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.7rem 0 0;padding:0;font-size:.82rem;color:var(--soft)}
.legend b{font-weight:600;color:var(--ink);font-variant-numeric:tabular-nums}
.legend li::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:.2em;margin-right:.4em}
.before::before{background:var(--grid);box-shadow:0 0 0 1px var(--line)}.p50::before{background:var(--accent)}.p99::before{background:var(--second)}.delivered::before{background:var(--bar)}
.token-dead::before{background:var(--soft)}.throttled::before{background:var(--second)}.unreachable::before{background:var(--doubtful)}.rejected::before{background:var(--bad)}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th{font-size:.8rem;font-weight:400;color:var(--soft);text-align:left;padding:0 .5rem .35rem 0}
td{padding:.45rem .5rem .45rem 0;border-top:1px solid var(--line);vertical-align:top}
.name{overflow-wrap:anywhere;padding-right:1rem}
.tag{display:inline-block;white-space:nowrap;padding:.05rem .55rem;border-radius:1rem;font-size:.85rem;background:var(--grid);color:var(--soft)}
.tag.good{background:var(--good-soft);color:var(--good)}.tag.doubtful{background:var(--doubtful-soft);color:var(--doubtful)}.tag.bad{background:var(--bad-soft);color:var(--bad)}
section p{margin:0;font-size:.92rem;color:var(--soft)}
footer{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.85rem;color:var(--soft);padding:0 1.25rem 2rem}
footer a{color:var(--accent)}
.gone{display:none;position:sticky;top:0;z-index:1;padding:.7rem 1.25rem;background:var(--bad);color:var(--paper);text-align:center}
.old .gone{display:block}.old main{opacity:.5;filter:grayscale(1)}.old .flowing path{animation:none}
@media(max-width:52rem){.path{flex-direction:column}
.station{flex-direction:row;gap:.2rem .8rem;text-align:left;padding:.7rem .9rem}.station .icon{margin:0}
.station b{flex:none;min-width:4.6rem}.station span{padding-right:1rem}.station::after{top:50%;margin-top:-.3rem}
.arrow{flex:0 0 2rem;flex-direction:row;justify-content:flex-start;padding-left:1.05rem;gap:1.2rem}
.arrow svg{width:2rem;height:.75rem;transform:rotate(90deg);order:-1}.arrow::after{content:none}}
@media(max-width:40rem){
thead{display:none}tr{display:flex;flex-wrap:wrap;align-items:baseline;gap:.3rem .8rem;padding:.5rem 0;border-top:1px solid var(--line)}
td{padding:0;border:0;font-size:.92rem}td:first-child{flex:0 0 100%}
td[data-about]::before{content:attr(data-about);margin-right:.4rem;color:var(--soft);font-size:.85rem}td[data-about=""]::before{content:none}
.name{font-weight:600}
.figures{grid-template-columns:repeat(2,auto);width:100%}h1{font-size:1.4rem}figcaption small{display:block;margin:0}}
`;

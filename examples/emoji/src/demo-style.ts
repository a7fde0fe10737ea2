/**
 * What the demo's page adds to the common look: the gallery, the scores, the commands.
 */

/** CSS, after the common one. */
export const demoStyle = `
header { display: grid; grid-template-columns: minmax(0, 1fr); gap: 32px 56px; align-items: center; }
@media (min-width: 900px) { header { grid-template-columns: minmax(0, 1fr) minmax(0, 420px); } }
.highlights { margin: 0; }
.highlights > div { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; }
.highlights > p { color: var(--soft); text-align: center; line-height: 1.9; }
.highlights figcaption { margin-top: 10px; text-align: center; }
.highlights figcaption::first-letter { text-transform: uppercase; }
h2::first-letter { text-transform: uppercase; }
.arrow { color: var(--soft); font-weight: 400; }
.good { color: var(--good); }
.bad { color: var(--b); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 16px; }
.triple > div { display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px; }
.triple img, .highlights img { display: block; width: 100%; aspect-ratio: 1; border-radius: 10px; background: #fff; border: 1px solid var(--line); }
.triple i { display: block; margin-top: 5px; font-size: 0.75rem; line-height: 1.2; font-style: normal; color: var(--soft); text-align: center; }
.triple figcaption { display: flex; justify-content: space-between; gap: 12px; margin-top: 12px; padding-top: 10px;
  border-top: 1px solid var(--line); font-size: 0.8125rem; line-height: 1.35; color: var(--soft); }
.triple figcaption > b { font-weight: 500; color: var(--ink); }
.triple figcaption span { white-space: nowrap; }
details { margin-top: 16px; }
summary { display: inline-block; padding: 8px 16px; border: 1px solid var(--line); border-radius: 999px; background: var(--card);
  font-size: 0.875rem; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
details[open] summary { margin-bottom: 16px; }
.scores, .next { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; }
.scores h3::first-letter { text-transform: uppercase; }
.scores table { margin-top: 8px; }
.scores td, .scores thead th:not(:first-child) { text-align: right; padding: 9px 0 9px 14px; white-space: nowrap; }
.scores tbody th b { color: var(--ink); }
.next .card { position: relative; }
.next h3 { padding-right: 72px; }
.next pre { margin: 12px 0 0; padding: 12px 14px; border-radius: 10px; background: var(--paper); border: 1px solid var(--line);
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5; }
.next button { position: absolute; top: 13px; right: 14px; padding: 3px 12px; border: 1px solid var(--line); border-radius: 999px;
  background: var(--card); color: var(--ink); font: inherit; font-size: 0.8125rem; cursor: pointer; }
footer p + p { margin-top: 6px; }
`;

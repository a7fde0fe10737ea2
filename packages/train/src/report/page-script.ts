/**
 * The one script of the pages: reading values off the curves, the samples slider, copying a command, and on a live
 * page taking in what is new. Pages say everything without it too.
 */

/** Plain browser JavaScript, inlined by html.ts. Listens at the document, as sections may be replaced. */
export const pageScript = `
'use strict';
let aimed;
let pointer;
const show = (charts, at) => {
  const { steps, values } = JSON.parse(charts.querySelector('script').textContent);
  for (const value of charts.querySelectorAll('[data-value]')) {
    value.textContent = values[value.dataset.value][at ?? steps.length - 1] ?? '–';
  }
  for (const cursor of charts.querySelectorAll('.cursor')) {
    cursor.hidden = at === undefined;
    if (at === undefined) continue;
    cursor.style.left = (100 * (steps[at] - steps[0])) / (steps[steps.length - 1] - steps[0]) + '%';
    cursor.dataset.step = 'step ' + steps[at].toLocaleString('en');
    cursor.classList.toggle('left', at > steps.length / 2);
  }
};
const aim = () => {
  const plot = pointer && document.elementFromPoint(pointer.x, pointer.y)?.closest('[data-plot]');
  const charts = plot?.closest('[data-charts]');
  if (aimed && aimed !== charts && aimed.isConnected) show(aimed);
  aimed = charts;
  if (!plot) return;
  const { steps } = JSON.parse(charts.querySelector('script').textContent);
  const box = plot.getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (pointer.x - box.left) / box.width));
  const step = steps[0] + share * (steps[steps.length - 1] - steps[0]);
  const after = Math.max(0, steps.findIndex((one) => one >= step));
  show(charts, after > 0 && step - steps[after - 1] < steps[after] - step ? after - 1 : after);
};
const point = (event) => { pointer = { x: event.clientX, y: event.clientY }; aim(); };
document.addEventListener('pointermove', point);
document.addEventListener('pointerdown', point);
document.documentElement.addEventListener('pointerleave', () => { pointer = undefined; aim(); });

const turnTo = (slider, at) => {
  const shots = slider.querySelectorAll('.shot');
  slider.querySelector('input').value = at;
  shots.forEach((shot, place) => {
    // The one before stays below until the new one is drawn.
    shot.classList.toggle('below', !shot.hidden && place !== at);
    shot.hidden = place !== at;
  });
  slider.querySelector('output').textContent = Number(shots[at].dataset.step).toLocaleString('en');
};
document.addEventListener('input', ({ target }) => {
  const slider = target.closest('[data-slider]');
  if (slider) turnTo(slider, Number(target.value));
});
let playing;
const play = (on) => {
  clearInterval(playing);
  playing = undefined;
  for (const button of document.querySelectorAll('[data-play]')) button.textContent = on ? 'Pause' : 'Play';
  if (!on) return;
  playing = setInterval(() => {
    const slider = document.querySelector('[data-slider]');
    const { value, max } = slider.querySelector('input');
    if (value === max) play(false);
    else turnTo(slider, Number(value) + 1);
  }, 400);
};

document.addEventListener('click', async ({ target }) => {
  if (target.matches('[data-play]')) {
    const slider = target.closest('[data-slider]');
    const { value, max } = slider.querySelector('input');
    if (playing === undefined && value === max) turnTo(slider, 0);
    play(playing === undefined);
  }
  if (target.matches('[data-copy]')) {
    await navigator.clipboard.writeText(target.dataset.copy);
    target.textContent = 'Copied';
    setTimeout(() => { target.textContent = 'Copy'; }, 1500);
  }
});
if (navigator.clipboard) for (const button of document.querySelectorAll('[data-copy]')) button.hidden = false;

// All pictures of a live page: they must be there when its server is not.
const pictures = new Map();
const load = (shot) => {
  const address = /'(.*)'/.exec(shot.style.getPropertyValue('--picture'))[1];
  if (!pictures.has(address)) {
    pictures.set(address, new Image());
    pictures.get(address).src = address;
  }
  return pictures.get(address);
};
const replace = async ({ id, html }) => {
  const template = document.createElement('template');
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  const before = document.getElementById(id);
  const [old, now] = [before, fresh].map((section) => section.querySelector('[data-slider]'));
  if (now) {
    const input = old?.querySelector('input');
    const step = input && input.value !== input.max && old.querySelector('.shot:not([hidden])').dataset.step;
    const at = [...now.querySelectorAll('.shot')].findIndex((shot) => shot.dataset.step === step);
    if (at >= 0) turnTo(now, at);
    const shown = now.querySelector('.shot:not([hidden])');
    await load(shown).decode().catch(() => {});
    now.querySelectorAll('.shot').forEach(load);
  }
  before.replaceWith(fresh);
  if (fresh.dataset.title) document.title = fresh.dataset.title;
  if (playing !== undefined) play(true);
  aim();
};
const live = document.querySelector('[data-live]');
if (live) {
  const say = (state, words) => { live.dataset.live = state; live.textContent = words; };
  const news = new EventSource('events');
  let last = Promise.resolve();
  news.addEventListener('open', () => say('on', 'Live'));
  news.addEventListener('section', ({ data }) => { last = last.then(() => replace(JSON.parse(data))); });
  news.addEventListener('end', () => { news.close(); say('ended', 'Training has ended. This is its last state.'); });
  news.addEventListener('error', () => say('lost', 'Connection lost: training has ended, or was ended. This is the last state that came.'));
}
`;

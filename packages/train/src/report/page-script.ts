/**
 * The one script of the pages: reading values off the curves, the samples slider, copying a command. Pages say
 * everything without it too.
 */

/** Plain browser JavaScript, inlined by html.ts. */
export const pageScript = `
'use strict';
for (const charts of document.querySelectorAll('[data-charts]')) {
  const { steps, values } = JSON.parse(charts.querySelector('script').textContent);
  const cursors = charts.querySelectorAll('.cursor');
  const show = (at) => {
    for (const value of charts.querySelectorAll('[data-value]')) {
      value.textContent = values[value.dataset.value][at ?? steps.length - 1] ?? '–';
    }
    for (const cursor of cursors) {
      cursor.hidden = at === undefined;
      if (at === undefined) continue;
      cursor.style.left = (100 * (steps[at] - steps[0])) / (steps[steps.length - 1] - steps[0]) + '%';
      cursor.dataset.step = 'step ' + steps[at];
      cursor.classList.toggle('left', at > steps.length / 2);
    }
  };
  const move = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const step = steps[0] + share * (steps[steps.length - 1] - steps[0]);
    const after = steps.findIndex((one) => one >= step);
    show(after > 0 && step - steps[after - 1] < steps[after] - step ? after - 1 : after);
  };
  for (const plot of charts.querySelectorAll('[data-plot]')) {
    plot.addEventListener('pointermove', move);
    plot.addEventListener('pointerdown', move);
    plot.addEventListener('pointerleave', () => show());
  }
}
for (const slider of document.querySelectorAll('[data-slider]')) {
  const images = slider.querySelectorAll('img');
  const output = slider.querySelector('output');
  slider.querySelector('input').addEventListener('input', (event) => {
    images.forEach((image, at) => { image.hidden = at !== Number(event.target.value); });
    output.textContent = images[event.target.value].dataset.step;
  });
}
for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
}
`;

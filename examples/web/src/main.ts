/** The page: one picture, one direction, one size, and the translation that follows from them. */
import { createCompare } from './compare.js';
import { createControls } from './controls.js';
import { find } from './dom.js';
import { listenForPictures } from './intake.js';
import { createModels, loadManifest } from './models.js';
import { readPicture } from './picture.js';
import { say, sayError, sayModel, sayProgress, sayResult } from './report.js';
import { directionOf, fetchSample, fillSampleList, loadSamples } from './samples.js';

const BUNDLE = 'bundle/';
const SAMPLES = 'samples/';

async function start(): Promise<void> {
  const blank = find('#blank', HTMLElement);
  const manifest = await loadManifest(BUNDLE);
  if (!manifest) {
    blank.hidden = true;
    find('#missing', HTMLElement).hidden = false;
    document.body.classList.add('no-bundle');
    return;
  }
  const samples = await loadSamples(SAMPLES);
  const stage = find('#stage', HTMLElement);
  const download = find('#download', HTMLButtonElement);
  const compare = createCompare(find('#compare', HTMLElement));
  const models = createModels(BUNDLE, sayProgress);
  const controls = createControls(find('#controls', HTMLFormElement), {
    manifest,
    domains: samples.domains,
    onChange: update,
  });
  /** A file may still be on its way, so that what is chosen last counts at once, however long it takes to come. */
  let chosen: { file: Blob | Promise<Blob>; name: string } | undefined;
  let job = new AbortController();

  /** Translates what is chosen, as it is chosen now; a run that is still going is given up. */
  function update(): void {
    job.abort();
    job = new AbortController();
    const { signal } = job;
    stage.classList.add('busy');
    download.disabled = true;
    translate(signal)
      .catch((error) => signal.aborted || sayError(error))
      .finally(() => signal.aborted || stage.classList.remove('busy'));
  }

  async function translate(signal: AbortSignal): Promise<void> {
    say('');
    const picture = chosen && (await readPicture(await chosen.file, controls.longestSide()));
    if (signal.aborted) return;
    if (picture) {
      blank.hidden = true;
      compare.showBefore(picture.bitmap);
    }
    say('Loading the model');
    const translator = await models.get(controls.direction());
    if (signal.aborted) return;
    sayModel(translator.info);
    say('');
    if (!picture) return;
    say('Translating');
    const started = performance.now();
    const result = await translator.translate(picture.bitmap, { signal, onProgress: sayProgress });
    sayResult(performance.now() - started, result, picture.original);
    compare.showAfter(result);
    download.disabled = false;
    say('');
  }

  function choose(file: Blob | Promise<Blob>, name: string): void {
    chosen = { file, name };
    const direction = directionOf(name);
    if (direction) controls.setDirection(direction);
    update();
  }

  async function save(): Promise<void> {
    const file = await compare.file();
    if (!file || !chosen) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${chosen.name.replace(/^.*\//, '').replace(/\.\w+$/, '')}-${controls.direction()}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  const takeSample = (name: string) => choose(fetchSample(SAMPLES, name), name);

  download.addEventListener('click', () => void save().catch(sayError));
  listenForPictures({
    input: find('#file', HTMLInputElement),
    onHover: (over) => stage.classList.toggle('over', over),
    onPicture: (file) => choose(file, file.name),
  });
  fillSampleList(find('#samples', HTMLElement), {
    folder: SAMPLES,
    files: samples.files,
    onChoose: takeSample,
  });
  // The page opens with a result where there is a sample, and with the model at hand in any case.
  const [first] = samples.files;
  if (first) takeSample(first);
  else update();
}

start().catch(sayError);

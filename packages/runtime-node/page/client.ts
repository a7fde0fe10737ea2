/**
 * What the upload page does: one picture goes to the server, its translation comes back, both are compared and the
 * latter is saved. Runs in the browser; knows of the server only what its API says.
 */

/** What is read of `GET v1/info`. */
interface Info {
  name: string;
  direction: string;
  directions: string[];
  precisions: string[];
  formats: string[];
  limits: { imageBytes: number; pixels: number };
}

interface Answer {
  status: number;
  body: Blob;
  header(name: string): string | null;
}

const TOKEN_KEY = 'cyclegan-token';
const WITH_QUALITY = ['jpg', 'webp', 'avif'];
const FORMAT_WORDS: Record<string, string> = {
  keep: 'The format it came in',
  png: 'PNG',
  jpg: 'JPEG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
  gif: 'GIF',
};

const stage = find('#stage', HTMLElement);
const compare = find('#compare', HTMLElement);
const before = find('.before', HTMLImageElement);
const after = find('.after', HTMLImageElement);
const line = find('#compare input', HTMLInputElement);
const controls = find('#controls', HTMLFormElement);
const download = find('#download', HTMLButtonElement);
const again = find('#again', HTMLButtonElement);
const tokenForm = find('#token-form', HTMLFormElement);
const token = find('#token', HTMLInputElement);
const progress = find('#progress', HTMLProgressElement);
const fileInput = find('#file', HTMLInputElement);

let info: Info | undefined;
let picture: File | undefined;
let result: { url: string; name: string } | undefined;
let underway: XMLHttpRequest | undefined;
/** Counts what was asked for, so that an earlier answer never speaks for a later one. */
let turns = 0;

/** A sentence for the person, and whether the same may work later. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

async function loadInfo(): Promise<void> {
  const { body } = await ask('GET', 'v1/info');
  info = JSON.parse(await body.text()) as Info;
  tokenForm.hidden = true;
  for (const part of [controls, find('.program', HTMLElement)]) part.hidden = false;
  find('#model', HTMLElement).textContent = info.name;
  document.title = `${info.name} · CycleGAN`;
  fillSegments({
    name: 'direction',
    values: info.directions,
    chosen: info.direction,
    words: (direction) => direction.replace('to', ' → '),
  });
  fillSegments({
    name: 'precision',
    values: info.precisions.length > 1 ? ['', ...info.precisions] : [],
    chosen: '',
    words: (precision) => precision || 'Auto',
  });
  find('#format', HTMLSelectElement).replaceChildren(
    ...['keep', ...info.formats].map((format) => new Option(FORMAT_WORDS[format] ?? format, format)),
  );
  sayCurl();
  const { imageBytes, pixels } = info.limits;
  find('#note', HTMLElement).textContent =
    `Up to ${bytesInWords(imageBytes)} and ${Math.round(pixels / 1e6)} megapixels. Pictures are not kept.`;
}

/** Sends one request and waits for its answer. @throws Refusal for all but a success; AbortError */
function ask(method: string, address: string, body?: File): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = 'blob';
    const kept = sessionStorage.getItem(TOKEN_KEY);
    if (kept) request.setRequestHeader('Authorization', `Bearer ${kept}`);
    if (body) {
      request.setRequestHeader('Content-Type', body.type || 'application/octet-stream');
      request.upload.onprogress = ({ loaded, total }) => showProgress(loaded / total);
      request.upload.onload = () => showProgress(0);
      underway = request;
    }
    request.onload = () => {
      const answer = {
        status: request.status,
        body: request.response as Blob,
        header: (name: string) => request.getResponseHeader(name),
      };
      if (request.status === 200) resolve(answer);
      else refusalOf(answer).then(reject);
    };
    request.onerror = () =>
      reject(new Refusal(0, 'The server cannot be reached. Is it running, and are you online?'));
    request.onabort = () => reject(new DOMException('Another one came.', 'AbortError'));
    request.send(body);
  });
}

async function refusalOf({ status, body, header }: Answer): Promise<Refusal> {
  const text = await body.text();
  const isProblem = header('Content-Type')?.startsWith('application/problem+json');
  const { detail } = isProblem
    ? (JSON.parse(text) as { detail: string })
    : { detail: `The server answered ${status}.` };
  return new Refusal(status, detail);
}

/** Translates the picture as the form stands now; what is still going on is given up. */
async function update(): Promise<void> {
  underway?.abort();
  if (!info || !picture) return;
  turns += 1;
  const turn = turns;
  sayError('');
  download.disabled = true;
  stage.classList.add('busy');
  say('Sending');
  try {
    const { imageBytes } = info.limits;
    if (picture.size > imageBytes) {
      throw new Refusal(
        413,
        `This file has ${bytesInWords(picture.size)}; the server takes up to ${bytesInWords(imageBytes)}.`,
      );
    }
    await show(await ask('POST', address(), picture));
  } catch (error) {
    if (turn === turns && !isAbort(error)) fail(error);
  }
  if (turn !== turns) return;
  showProgress(0);
  say('');
  stage.classList.remove('busy');
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Of a translation as it is chosen in the form. */
function address(): string {
  const chosen = [...new FormData(controls)].filter(([, value]) => value !== '') as [string, string][];
  return `v1/translate?${new URLSearchParams(chosen)}`;
}

/** The same request for who writes programs. */
function sayCurl(): void {
  const access = sessionStorage.getItem(TOKEN_KEY) ? '-H "Authorization: Bearer $CYCLEGAN_TOKEN" ' : '';
  find('#curl', HTMLElement).textContent =
    `curl ${access}-F image=@photo.jpg -o translated '${new URL(address(), document.baseURI)}'`;
}

async function show({ body, header }: Answer): Promise<void> {
  if (result) URL.revokeObjectURL(result.url);
  const url = URL.createObjectURL(body);
  const ending = body.type.replace('image/', '').replace('jpeg', 'jpg');
  const direction = new FormData(controls).get('direction') ?? info?.direction;
  result = { url, name: `${picture?.name.replace(/\.\w+$/, '')}-${direction}.${ending}` };
  download.disabled = false;
  const run = /run;dur=([\d.]+)/.exec(header('Server-Timing') ?? '')?.[1];
  find('#time', HTMLElement).textContent = run ? `${Math.round(Number(run))} ms` : '–';
  find('#weight', HTMLElement).textContent = `${FORMAT_WORDS[ending] ?? ending}, ${bytesInWords(body.size)}`;
  if (await load(after, url)) {
    find('#size', HTMLElement).textContent = `${after.naturalWidth} × ${after.naturalHeight}`;
    line.disabled = false;
    compare.hidden = false;
    find('#blank', HTMLElement).hidden = true;
    compare.classList.add('done');
    place(line.valueAsNumber, 'glide');
  } else {
    sayError(`It is done. Your browser cannot show ${FORMAT_WORDS[ending] ?? ending}; download it instead.`);
  }
}

async function choose(file: File): Promise<void> {
  underway?.abort();
  picture = file;
  sayError('');
  line.disabled = true;
  compare.classList.remove('done');
  place(100, 'jump');
  for (const fact of ['#size', '#weight', '#time']) find(fact, HTMLElement).textContent = '–';
  if (before.src) URL.revokeObjectURL(before.src);
  // What the browser cannot show, as TIFF, the server may still read.
  const shown = await load(before, URL.createObjectURL(file));
  if (picture !== file) return;
  compare.hidden = !shown;
  find('#blank', HTMLElement).hidden = shown;
  await update();
}

/** Whether the browser can show it. */
async function load(image: HTMLImageElement, url: string): Promise<boolean> {
  image.src = url;
  const shown = await image.decode().then(
    () => true,
    () => false,
  );
  image.hidden = !shown;
  if (shown) compare.style.setProperty('--ratio', `${image.naturalWidth / image.naturalHeight}`);
  return shown;
}

function fail(error: unknown): void {
  const refusal =
    error instanceof Refusal ? error : new Refusal(0, 'Something went wrong in this page. Reload it.');
  if (refusal.status === 401) {
    const wrong = sessionStorage.getItem(TOKEN_KEY) !== null;
    sessionStorage.removeItem(TOKEN_KEY);
    tokenForm.hidden = false;
    token.focus();
    sayError(wrong ? 'The server does not know this token.' : '');
  } else {
    sayError(refusal.message);
    again.hidden = ![0, 408, 503].includes(refusal.status);
  }
}

function place(percent: number, motion: 'glide' | 'jump'): void {
  compare.classList.toggle('glide', motion === 'glide');
  compare.style.setProperty('--split', `${percent}%`);
}

function say(words: string): void {
  find('#status', HTMLElement).textContent = words;
}

function sayError(sentence: string): void {
  find('#error', HTMLElement).textContent = sentence;
  again.hidden = true;
}

/** @param part of 1; at 0 the bar is hidden */
function showProgress(part: number): void {
  progress.value = part;
  if (part === 0) say('Translating');
}

interface Segments {
  name: string;
  values: string[];
  chosen: string;
  words(value: string): string;
}

/** Radio buttons beside each other; not shown where there is nothing to choose. */
function fillSegments({ name, values, chosen, words }: Segments): void {
  const fieldset = find(`#${name}s`, HTMLFieldSetElement);
  fieldset.hidden = values.length < 2;
  const labels = values.map((value) => {
    const label = document.createElement('label');
    const input = document.createElement('input');
    Object.assign(input, { type: 'radio', name, value, checked: value === chosen });
    const text = document.createElement('span');
    text.textContent = words(value);
    label.append(input, text);
    return label;
  });
  find('.segments', HTMLElement, fieldset).replaceChildren(...labels);
}

function bytesInWords(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1 ? `${Math.ceil(bytes / 1024)} KiB` : `${Number(mebibytes.toFixed(1))} MiB`;
}

function find<Type extends Element>(
  selector: string,
  type: new () => Type,
  within: ParentNode = document,
): Type {
  const element = within.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`internal: no ${type.name} at ${selector}`);
  return element;
}

function takeFrom(files: FileList | null | undefined): void {
  const file = files?.[0];
  if (file) void choose(file);
}

fileInput.addEventListener('change', () => {
  takeFrom(fileInput.files);
  // The same file may be chosen again.
  fileInput.value = '';
});
document.addEventListener('paste', ({ clipboardData }) => takeFrom(clipboardData?.files));
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  stage.classList.add('over');
});
document.addEventListener('dragleave', (event) => {
  // Moving from one element to the next fires this too, with the next one named.
  if (!event.relatedTarget) stage.classList.remove('over');
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  stage.classList.remove('over');
  takeFrom(event.dataTransfer?.files);
});
line.addEventListener('input', () => {
  place(line.valueAsNumber, 'jump');
  line.ariaValueText = `${Math.round(line.valueAsNumber)} % before`;
});
controls.addEventListener('input', () => {
  const takesQuality = WITH_QUALITY.includes(find('#format', HTMLSelectElement).value);
  find('#quality-choice', HTMLElement).hidden = !takesQuality;
  find('#quality', HTMLInputElement).disabled = !takesQuality;
  find('#quality-value', HTMLOutputElement).value = find('#quality', HTMLInputElement).value;
  sayCurl();
});
controls.addEventListener('change', (event) => {
  if (event.target !== fileInput) void update();
});
controls.addEventListener('submit', (event) => event.preventDefault());
tokenForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, token.value);
  start();
});
again.addEventListener('click', () => (info ? void update() : start()));
download.addEventListener('click', () => {
  if (!result) return;
  const link = document.createElement('a');
  link.href = result.url;
  link.download = result.name;
  link.click();
});

function start(): void {
  sayError('');
  loadInfo().then(update, fail);
}

start();

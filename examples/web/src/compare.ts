/**
 * Before and after in one frame, divided by a line that is dragged or moved with the arrow keys. The line is a
 * native range input laid over the pictures, so pointer, touch, keyboard and screen reader come with it.
 */
import { find } from './dom.js';

export interface Compare {
  /** Shows the picture alone; what was there before it goes. The bitmap stays the caller's. */
  showBefore(picture: ImageBitmap): void;
  /** Puts the translation beside it and draws the line to where it last stood. */
  showAfter(picture: ImageData): void;
  /** The translation as a PNG file; undefined while there is none. */
  file(): Promise<Blob | undefined>;
}

export function createCompare(root: HTMLElement): Compare {
  const before = find('.before', HTMLCanvasElement, root);
  const after = find('.after', HTMLCanvasElement, root);
  const line = find('input', HTMLInputElement, root);

  function place(percent: number, motion: 'glide' | 'jump'): void {
    root.classList.toggle('glide', motion === 'glide');
    root.style.setProperty('--split', `${percent}%`);
  }

  line.addEventListener('input', () => {
    place(line.valueAsNumber, 'jump');
    line.ariaValueText = `${Math.round(line.valueAsNumber)} % before`;
  });

  return {
    showBefore(picture) {
      fit(before, picture);
      find2d(before).drawImage(picture, 0, 0);
      root.style.setProperty('--ratio', `${picture.width / picture.height}`);
      root.hidden = false;
      line.disabled = true;
      root.classList.remove('done');
      place(100, 'jump');
    },
    showAfter(picture) {
      fit(after, picture);
      find2d(after).putImageData(picture, 0, 0);
      line.disabled = false;
      root.classList.add('done');
      place(line.valueAsNumber, 'glide');
    },
    async file() {
      if (line.disabled) return undefined;
      const blob = await new Promise<Blob | null>((resolve) => after.toBlob(resolve, 'image/png'));
      return blob ?? undefined;
    },
  };
}

function fit(canvas: HTMLCanvasElement, { width, height }: { width: number; height: number }): void {
  canvas.width = width;
  canvas.height = height;
}

function find2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('internal: no 2D context');
  return context;
}

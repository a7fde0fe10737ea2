/** A file as a picture of the size to translate. The browser decodes it; EXIF orientation is applied. */

/** What browsers decode in reasonable memory, and the runtime takes. */
const MAX_MEGAPIXELS = 100;
const MIN_SIDE = 8;

export interface Picture {
  /** The caller closes it. */
  bitmap: ImageBitmap;
  /** Its size in the file. */
  original: { width: number; height: number };
}

/**
 * @param longest the longest side wanted, in pixels; a smaller picture keeps its size
 * @throws Error with a sentence for the reader
 */
export async function readPicture(file: Blob, longest: number): Promise<Picture> {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await loaded(image);
    const { naturalWidth: width, naturalHeight: height } = image;
    if (width * height > MAX_MEGAPIXELS * 1e6) {
      throw new Error(
        `This picture has ${width} × ${height} pixels; ${MAX_MEGAPIXELS} megapixels are the most that fit here.`,
      );
    }
    const wanted = longest / Math.max(width, height);
    const scale = Math.min(1, Math.max(wanted, MIN_SIDE / Math.min(width, height)));
    const bitmap = await createImageBitmap(image, {
      resizeWidth: Math.round(width * scale),
      resizeHeight: Math.round(height * scale),
      resizeQuality: 'high',
    });
    return { bitmap, original: { width, height } };
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** Waits for the file's header only: nothing is decoded before its size is known. */
function loaded(image: HTMLImageElement): Promise<void> {
  return new Promise((resolve, reject) => {
    image.onload = () => resolve();
    image.onerror = () =>
      reject(new Error('This file is not a picture that your browser can read. PNG, JPEG and WebP are.'));
  });
}

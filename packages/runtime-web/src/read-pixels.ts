/**
 * A picture's exact bytes. A 2D canvas keeps colours multiplied by alpha and so loses them where alpha is low;
 * pictures that are part transparent are read through a WebGL texture, which keeps them as they are.
 */
import type { Pixels } from '@cyclegan/runtime-core';

/** RGBA, not premultiplied, in memory of its own. The bitmap stays the caller's. */
export function readPixels(bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  const drawn = readDrawn(bitmap);
  const data = isOpaque(drawn) ? drawn : (readTexture(bitmap) ?? drawn);
  return { width, height, channels: 4, data };
}

function readDrawn(bitmap: ImageBitmap): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('internal: no 2D context');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
}

function isOpaque(data: Uint8ClampedArray): boolean {
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] !== 255) return false;
  }
  return true;
}

/** Undefined where there is no WebGL, or the picture is larger than its textures: the canvas has to do then. */
function readTexture(bitmap: ImageBitmap): Uint8Array | undefined {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl');
  if (!gl) return undefined;
  try {
    if (Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    const texture = gl.getParameter(gl.TEXTURE_BINDING_2D);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) !== gl.FRAMEBUFFER_COMPLETE) return undefined;
    const data = new Uint8Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, data);
    return gl.getError() === gl.NO_ERROR ? data : undefined;
  } finally {
    // Contexts are few; this one is done.
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

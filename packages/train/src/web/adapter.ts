/** Whether there is a GPU worth training on, found out before anything of its worker is loaded. */

/**
 * @param software whether an adapter that is software will do
 * @returns why there is none, in words that follow "WebGPU:"; undefined where there is one
 */
export async function webGpuAbsence({ software }: { software: boolean }): Promise<string | undefined> {
  // Absent in browsers without WebGPU and on insecure origins, whatever the type says.
  const gpu: GPU | undefined = navigator.gpu;
  if (!gpu) return 'a browser without WebGPU, or a page that is not on HTTPS';
  const adapter = await gpu.requestAdapter();
  if (!adapter) return 'no GPU that the browser would use';
  const { isFallbackAdapter, architecture, description } = adapter.info;
  const names = `${architecture} ${description}`;
  const isSoftware = isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(names);
  return isSoftware && !software ? 'an adapter in software, slower than WebAssembly' : undefined;
}

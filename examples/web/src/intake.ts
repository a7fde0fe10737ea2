/** The ways a picture comes in: a chosen file, a drop anywhere on the page, a paste. */

export interface IntakeOptions {
  input: HTMLInputElement;
  /** Told while a file hovers over the page. */
  onHover(over: boolean): void;
  onPicture(file: File): void;
}

export function listenForPictures({ input, onHover, onPicture }: IntakeOptions): void {
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file) onPicture(file);
  };

  input.addEventListener('change', () => {
    take(input.files);
    // The same file may be chosen again.
    input.value = '';
  });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files));
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    onHover(true);
  });
  document.addEventListener('dragleave', (event) => {
    // Moving from one element to the next fires this too, with the next one named.
    if (!event.relatedTarget) onHover(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    onHover(false);
    take(event.dataTransfer?.files);
  });
}

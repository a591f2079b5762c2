import { InjectionToken } from '@angular/core';

/** Hands a file to the browser's downloads under a name. Throws where the browser refuses. */
export type SaveFile = (file: Blob, name: string) => void;

/** How long the browser may take to begin reading the blob. */
const KEPT_MS = 60_000;

function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

export const SAVE_FILE = new InjectionToken<SaveFile>('SAVE_FILE', {
  providedIn: 'root',
  factory: () => saveFile,
});

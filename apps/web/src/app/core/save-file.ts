import { InjectionToken } from '@angular/core';

/** Hands bytes to the browser's downloads under a name. Throws where the browser refuses. */
export type SaveFile = (bytes: Uint8Array, name: string) => void;

/** How long the browser may take to begin reading the blob. */
const KEPT_MS = 60_000;

function saveFile(bytes: Uint8Array, name: string): void {
  // A copy: a Blob takes no view of memory that may be shared.
  const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }));
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

/** What the browser reports of this page's storage, in bytes. */
export interface StorageFacts {
  readonly used: number | null;
  readonly quota: number | null;
  /** whether it is exempt from eviction when the disk runs short; null: unknown */
  readonly persisted: boolean | null;
}

const UNKNOWN: StorageFacts = { used: null, quota: null, persisted: null };

/** Pages without a secure context have no storage manager, whatever the types say. */
function manager(): StorageManager | null {
  return 'storage' in navigator ? navigator.storage : null;
}

export async function storageFacts(): Promise<StorageFacts> {
  try {
    const [estimate, persisted] = await Promise.all([manager()?.estimate(), manager()?.persisted()]);
    return { used: estimate?.usage ?? null, quota: estimate?.quota ?? null, persisted: persisted ?? null };
  } catch {
    // A browser that refuses to tell is one that does not say.
    return UNKNOWN;
  }
}

/**
 * Asks the browser not to clear the vault when the disk runs short; a worker cannot ask. Whether
 * it agrees changes nothing of what works now.
 */
export async function requestPersistence(): Promise<boolean> {
  try {
    return (await manager()?.persist()) ?? false;
  } catch {
    // Refusing to be asked is a no.
    return false;
  }
}

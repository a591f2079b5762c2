/** Records as the steps read them: fields by their names, whatever today's schemas are. */
import { decodeCbor, ERROR_CODES, type Bytes, type CborValue } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';

export type Fields = Readonly<Record<string, CborValue>>;

/** Throws VAULT_DAMAGED {store} for what is no CBOR. */
export function decoded(store: string, data: Bytes): CborValue {
  try {
    return decodeCbor(data);
  } catch (error) {
    throw new ClientError(ERROR_CODES.VAULT_DAMAGED, { store }, { cause: error });
  }
}

/** Throws VAULT_DAMAGED {store} for what is no map. */
export function fieldsOf(value: CborValue, store: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw damaged(store);
  return value as Fields;
}

export const recordOf = (store: string, data: Bytes): Fields => fieldsOf(decoded(store, data), store);

/** Throws VAULT_DAMAGED {store} where there is none. */
export function fieldOf(fields: Fields, name: string, store: string): CborValue {
  const value = fields[name];
  if (value === undefined) throw damaged(store);
  return value;
}

/** Throws VAULT_DAMAGED {store} for anything but a list of maps. */
export function listOf(fields: Fields, name: string, store: string): readonly Fields[] {
  const list = fieldOf(fields, name, store);
  if (!Array.isArray(list)) throw damaged(store);
  return (list as readonly CborValue[]).map((item) => fieldsOf(item, store));
}

/** Throws VAULT_DAMAGED {store} for anything but bytes. */
export function bytesOf(fields: Fields, name: string, store: string): Bytes {
  const value = fieldOf(fields, name, store);
  if (!(value instanceof Uint8Array)) throw damaged(store);
  return value;
}

export const damaged = (store: string): ClientError => new ClientError(ERROR_CODES.VAULT_DAMAGED, { store });

/** The part of the table's maker that its test reads. */
export interface Attack {
  readonly codes: string[];
  readonly attack: string;
  readonly file: string;
}
export const CODES: readonly string[];
export const DOCUMENT: string;
export function attacksInSources(): Attack[];
export function tableOf(attacks: readonly Attack[], outcomeOf: (attack: Attack) => string): string;
export function tableIn(text: string): string;
export function withTable(text: string, table: string): string;
export function differences(had: string, due: string): string[];

/** The word lists of @zxcvbn-ts one by one: its index brings along 1 MB of family names and encyclopedia words. */
declare module '@zxcvbn-ts/*/wordSequences.json.mjs' {
  const sequences: Record<string, string[]>;
  export { sequences as default };
}
declare module '@zxcvbn-ts/*.json.mjs' {
  const words: string[];
  export { words as default };
}

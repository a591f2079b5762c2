/** The part of the rules that their test reads. */
export const forbidden: readonly { readonly name: string }[];

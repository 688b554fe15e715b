declare const brand: unique symbol;

/** A `T` that passed the guard of that name. Only type guards mint one. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

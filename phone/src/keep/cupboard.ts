/** What this phone keeps, in IndexedDB: doors, entries and posters as they came (sealed), and keys that cannot be taken out. */

const NAME = "doorbell";
const VERSION = 1;

export type Shelf = "doors" | "entries" | "posters" | "keys";

export class Cupboard {
  private constructor(private readonly base: IDBDatabase) {}

  static async open(name = NAME): Promise<Cupboard> {
    const opening = indexedDB.open(name, VERSION);
    opening.onupgradeneeded = () => {
      for (const shelf of ["doors", "entries", "posters", "keys"] satisfies Shelf[]) opening.result.createObjectStore(shelf);
    };
    return new Cupboard(await done(opening));
  }

  get<T>(shelf: Shelf, key: IDBValidKey): Promise<T | undefined> {
    return done(this.#in(shelf, "readonly").get(key)) as Promise<T | undefined>;
  }

  all<T>(shelf: Shelf, within?: IDBKeyRange): Promise<T[]> {
    return done(this.#in(shelf, "readonly").getAll(within)) as Promise<T[]>;
  }

  /** As `all`, but *most* at a time: what is read at once holds up the screen. */
  async *pages<T>(shelf: Shelf, within: IDBKeyRange, most = 250): AsyncGenerator<T[]> {
    for (let range = within; ; ) {
      const store = this.#in(shelf, "readonly");
      const [rows, keys] = await Promise.all([done(store.getAll(range, most)), done(store.getAllKeys(range, most))]);
      if (rows.length > 0) yield rows as T[];
      if (rows.length < most) return;
      range = IDBKeyRange.bound(keys.at(-1), within.upper, true);
    }
  }

  async put(shelf: Shelf, rows: readonly (readonly [IDBValidKey, unknown])[]): Promise<void> {
    const store = this.#in(shelf, "readwrite");
    for (const [key, value] of rows) store.put(value, key);
    await finished(store.transaction);
  }

  keys(shelf: Shelf, within: IDBKeyRange): Promise<IDBValidKey[]> {
    return done(this.#in(shelf, "readonly").getAllKeys(within));
  }

  async remove(shelf: Shelf, what: IDBValidKey | IDBKeyRange): Promise<void> {
    const store = this.#in(shelf, "readwrite");
    store.delete(what);
    await finished(store.transaction);
  }

  close(): void {
    this.base.close();
  }

  #in(shelf: Shelf, how: IDBTransactionMode): IDBObjectStore {
    return this.base.transaction(shelf, how).objectStore(shelf);
  }
}

/** Every key that begins with *parts*. */
export function under(...parts: string[]): IDBKeyRange {
  return IDBKeyRange.bound(parts, [...parts, []]);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error!);
  });
}

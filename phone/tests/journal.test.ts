import { describe, expect, test } from "vitest";
import { hex, unhex, utf8 } from "../src/door/bytes";
import { readBody, readDocument, verifyChain } from "../src/door/journal";
import { vectors } from "./vectors";

interface Chain {
  name: string;
  journal_id: string;
  verify_key: string;
  documents: string[];
  fault: string | null;
  index: number | null;
  hashes: string[];
  seen?: { index: number; hash: string };
}

describe("a chain", () => {
  for (const one of vectors<{ cases: Chain[] }>("journal/chains.json").cases)
    test(one.name, async () => {
      const entries = one.documents.map((text) => readDocument(utf8(text)));
      const seen = one.seen && { index: one.seen.index, hash: unhex(one.seen.hash)! };
      const fault = await verifyChain(entries, unhex(one.journal_id)!, unhex(one.verify_key)!, undefined, seen);
      expect(fault && { word: fault.word, index: fault.index }).toEqual(one.fault && { word: one.fault, index: one.index });
      if (!one.fault) expect(entries.map((entry) => hex(entry.hash))).toEqual(one.hashes);
    });
});

describe("a document", () => {
  for (const one of vectors<{ cases: { name: string; good: boolean; document: string; hash?: string }[] }>(
    "journal/documents.json",
  ).cases)
    test(one.name, () => {
      if (one.good) expect(hex(readDocument(utf8(one.document)).hash)).toBe(one.hash);
      else expect(() => readDocument(utf8(one.document))).toThrow("damaged");
    });
});

describe("a body", () => {
  for (const one of vectors<{ cases: { name: string; good: boolean; body: string; kind?: string }[] }>(
    "journal/bodies.json",
  ).cases)
    test(one.name, () => {
      if (one.good) expect(readBody(utf8(one.body)).kind).toBe(one.kind);
      else expect(() => readBody(utf8(one.body))).toThrow();
    });
});

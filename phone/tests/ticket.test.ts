import { describe, expect, test } from "vitest";
import { hex, unhex, utf8 } from "../src/door/bytes";
import { base45, isForDoor, readTicket, type Ticket, ticketFrom, toPaste, unbase45, writeTicket } from "../src/door/ticket";
import { vectors } from "./vectors";

interface Case {
  name: string;
  good: boolean;
  bytes?: string;
  qr?: string;
  paste?: string;
  says?: Record<string, string>;
}

const { cases } = vectors<{ cases: Case[] }>("roster/tickets.json");

/** With the vectors' names. */
function says(one: Ticket): Record<string, string> {
  const { owner, ownerVerifyKey, phone, phoneVerifyKey, secret, brokerPin, ...texts } = one;
  const keys = { owner, owner_verify_key: ownerVerifyKey, phone, phone_verify_key: phoneVerifyKey, secret, broker_pin: brokerPin };
  return { ...texts, ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, hex(key)])) };
}

test("base45 is RFC 9285's", () => {
  expect(base45(utf8("AB"))).toBe("BB8");
  expect(base45(utf8("Hello!!"))).toBe("%69 VD92EX0");
  expect(base45(utf8("base-45"))).toBe("UJCLQE7W581");
  expect(unbase45("QED8WEX0")).toEqual(utf8("ietf!"));
  for (const wrong of ["GGW", ":::", "A", "a", "ZZZZ"]) expect(unbase45(wrong)).toBeNull();
});

describe("a ticket", () => {
  for (const one of cases)
    test(one.name, () => {
      if (!one.good) {
        expect(() => (one.qr ? ticketFrom(one.qr) : readTicket(unhex(one.bytes!)!))).toThrow();
        if (one.qr) expect(() => readTicket(unbase45(one.qr!) ?? new Uint8Array())).toThrow();
        return;
      }
      const ticket = readTicket(unhex(one.bytes!)!);
      expect(says(ticket)).toEqual(one.says);
      expect(hex(writeTicket(ticket))).toBe(one.bytes);
      expect(base45(writeTicket(ticket))).toBe(one.qr);
      expect(toPaste(ticket)).toBe(one.paste);
      for (const text of [one.qr!, one.paste!, ` ${one.paste}\n`, `http://localhost:8080/#/join/${one.paste}`])
        expect(ticketFrom(text)).toEqual(ticket);
      expect(isForDoor(ticket)).toBe(!/^0*$/.test(one.says!["phone"]!));
    });

  test("that does not fit a QR code is not written", () => {
    const ticket = readTicket(unhex(cases[0]!.bytes!)!);
    expect(() => writeTicket({ ...ticket, broker: `mqtts://${"x".repeat(180)}` })).toThrow("long");
    expect(() => writeTicket({ ...ticket, login: "x".repeat(256) })).toThrow("long");
  });
});

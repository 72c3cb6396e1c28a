import { describe, expect, test } from "vitest";
import { utf8 } from "../src/door/bytes";
import { base45, doorMac, knowsSecret, MOST_QR, readInvitation, unbase45, writeInvitation } from "../src/door/pairing";
import { readHello } from "../src/door/hello";
import { base64 } from "../src/door/bytes";
import { TestDoor } from "./made";

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const invitation = {
  ownerRecipient: bytes(32, 1), ownerVerifyKey: bytes(32, 2), phoneRecipient: bytes(32, 3), phoneVerifyKey: bytes(32, 4),
  secret: bytes(16, 5), brokerPin: bytes(32, 6), door: "front", broker: "mqtts://broker.example:8883", login: "front", password: "päss",
};

test("base45 is RFC 9285's", () => {
  expect(base45(utf8("AB"))).toBe("BB8");
  expect(base45(utf8("Hello!!"))).toBe("%69 VD92EX0");
  expect(base45(utf8("base-45"))).toBe("UJCLQE7W581");
  expect(unbase45("QED8WEX0")).toEqual(utf8("ietf!"));
  for (const wrong of ["GGW", ":::", "A", "a", "ZZZZ"]) expect(unbase45(wrong)).toBeNull();
});

describe("the QR by which a door and a phone meet", () => {
  test("is read as it was written, within its 350 bytes", () => {
    const written = writeInvitation(invitation);
    expect(written.length).toBeLessThanOrEqual(MOST_QR);
    expect(readInvitation(unbase45(base45(written))!)).toEqual(invitation);
  });

  test("cut anywhere, longer, or of another version it is refused", () => {
    const written = writeInvitation(invitation);
    for (let length = 0; length < written.length; length++) expect(() => readInvitation(written.slice(0, length))).toThrow();
    expect(() => readInvitation(new Uint8Array([...written, 0]))).toThrow();
    expect(() => readInvitation(new Uint8Array([2, ...written.slice(1)]))).toThrow();
    expect(() => writeInvitation({ ...invitation, broker: "x".repeat(200) })).toThrow("too long");
  });

  test("only a door that knows the secret has its keys believed", async () => {
    const door = new TestDoor();
    const mac = (secret: Uint8Array) => base64(doorMac(secret, "front", door.verifyKey, new Uint8Array(32)));
    const hello = (pair_mac?: string) => readHello(door.hello({ pair_mac }), "front", null);
    expect(knowsSecret(await hello(mac(invitation.secret)), invitation.secret)).toBe(true);
    expect(knowsSecret(await hello(mac(bytes(16, 0))), invitation.secret)).toBe(false);
    expect(knowsSecret(await hello(), invitation.secret)).toBe(false);
  });
});

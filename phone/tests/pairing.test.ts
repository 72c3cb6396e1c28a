import { expect, test } from "vitest";
import { base64 } from "../src/door/bytes";
import { readHello } from "../src/door/hello";
import { doorMac, knowsSecret } from "../src/door/pairing";
import { TestDoor } from "./made";

test("only a door that knows the secret has its keys believed", async () => {
  const door = new TestDoor();
  const right = new Uint8Array(16).fill(5);
  const mac = (secret: Uint8Array) => base64(doorMac(secret, "front", door.verifyKey, new Uint8Array(32)));
  const hello = (pair_mac?: string) => readHello(door.hello({ pair_mac }), "front", null);
  expect(knowsSecret(await hello(mac(right)), right)).toBe(true);
  expect(knowsSecret(await hello(mac(new Uint8Array(16))), right)).toBe(false);
  expect(knowsSecret(await hello(), right)).toBe(false);
});

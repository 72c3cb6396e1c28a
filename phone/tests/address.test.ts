import { expect, test } from "vitest";
import { sourceOf } from "../src/link/address";

test.each([
  ["wss://Broker.example:8884/mqtt", "wss://broker.example:8884"],
  ["ws://localhost:9001", "ws://localhost:9001"],
  ["wss://broker.example:443", "wss://broker.example"],
  ["ws://192.168.1.5:9001/", "ws://192.168.1.5:9001"],
])("%s is a broker's address", (url, source) => {
  expect(sourceOf(url)).toBe(source);
  expect(sourceOf(source)).toBe(source); // what is kept is allowed again
});

test.each(["wss://my_broker:8884", "ws://[::1]:9001", "https://broker.example", "wss://me@broker.example", "broker.example", ""])(
  "%s is none that the security policy can name",
  (url) => expect(sourceOf(url)).toBeNull(),
);

/**
 * Which addresses are spoken to. A server is only ever named by the person who starts the program, so the own machine
 * and private networks are allowed; link-local addresses (clouds keep credentials there), multicast and "this network"
 * are not. The check is on the resolved address that is connected to, so a name cannot change its mind in between.
 */
import { type LookupAddress, lookup as resolve } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

const denied = new BlockList();
denied.addSubnet("0.0.0.0", 8, "ipv4");
denied.addSubnet("169.254.0.0", 16, "ipv4");
denied.addSubnet("224.0.0.0", 3, "ipv4");
denied.addAddress("::", "ipv6");
denied.addSubnet("fe80::", 10, "ipv6");
denied.addSubnet("ff00::", 8, "ipv6");
// The address of a cloud's metadata service.
denied.addAddress("fd00:ec2::254", "ipv6");

export function isDenied(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isDenied(mapped);
  const family = isIP(address);
  return family === 0 || denied.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** The host of an address, as a bare IP where it is one. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Resolves a name as `node:dns` does, and leaves out what is denied; with nothing left it fails. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, "", 0);
    const allowed = (addresses as LookupAddress[]).filter(({ address }) => !isDenied(address));
    const [first] = allowed;
    if (!first) {
      const refusal = Object.assign(new Error("the name stands for an address that is not allowed"), {
        code: "EDENIED",
      });
      return callback(refusal, "", 0);
    }
    if (options.all) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};

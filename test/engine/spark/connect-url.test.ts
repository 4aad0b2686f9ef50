import { expect, test } from "vitest";
import { isConnectUrl, parseConnectUrl } from "../../../src/engine/spark/connect-url";
import { IllegalArgumentError } from "../../../src/errors";

const parse = (url: string, variables: NodeJS.ProcessEnv = {}) => parseConnectUrl(url, variables);

test("host, port and PySpark's defaults", () => {
  expect(parse("sc://spark-1.example.com")).toMatchObject({
    name: "spark-1.example.com:15002",
    baseUrl: "http://spark-1.example.com:15002",
    token: undefined,
    sessionId: undefined,
  });
  expect(parse("sc://localhost:7777/").name).toBe("localhost:7777");
  expect(parse("sc://[::1]:7777/;use_ssl=true").baseUrl).toBe("https://[::1]:7777");
  expect(isConnectUrl("sc://x") && isConnectUrl("sc:x")).toBe(true);
  expect(isConnectUrl("local[2]") || isConnectUrl("jupyter://sc")).toBe(false);
});

test("parameters are percent-encoded, and what is none of Spark's own is a header", () => {
  const address = parse(
    "sc://h:1/;user_id=ann%20b;user_agent=notebook%2F1;session_id=00112233-4455-6677-8899-AABBCCDDEEFF;X-Aws-Proxy-Auth=t0%3Bk=;",
  );
  expect(address).toMatchObject({
    userId: "ann b",
    userAgent: "notebook/1",
    sessionId: "00112233-4455-6677-8899-AABBCCDDEEFF",
  });
  expect([...address.headers].map(([name, value]) => [name, value.reveal()])).toEqual([["x-aws-proxy-auth", "t0;k="]]);
});

test("a token means TLS but on localhost, and is not shown", () => {
  const address = parse("sc://spark.example.com/;token=c2VjcmV0Cg==");
  expect(address.baseUrl).toBe("https://spark.example.com:15002");
  expect(address.token?.reveal()).toBe("c2VjcmV0Cg==");
  expect(JSON.stringify(address)).not.toContain("c2VjcmV0");
  expect(parse("sc://localhost/;token=abc").baseUrl).toBe("http://localhost:15002");
  expect(parse("sc://localhost/;token=abc;use_ssl=true").baseUrl).toBe("https://localhost:15002");
  expect(parse("sc://h/;use_ssl=False").baseUrl).toBe("http://h:15002");
});

test("PySpark's variable is the token where the string has none", () => {
  const variables = { SPARK_CONNECT_AUTHENTICATE_TOKEN: "from-env" };
  expect(parse("sc://h", variables).token?.reveal()).toBe("from-env");
  expect(parse("sc://h", variables).baseUrl).toBe("https://h:15002");
  expect(parse("sc://h/;token=own", variables).token?.reveal()).toBe("own");
});

test.each([
  ["http://h:15002", /begin with "sc:\/\/"/],
  ["sc:/h", /begin with "sc:\/\/"/],
  ["sc://", /host or host:port/],
  ["sc://:15002", /host or host:port/],
  ["sc://h:port", /the port of h must be a number from 1 to 65535/],
  ["sc://h:0", /from 1 to 65535/],
  ["sc://h:70000", /from 1 to 65535/],
  ["sc://ann:S3CRET@h", /user or password/],
  ["sc://h/path", /by no path/],
  ["sc://h/path;token=S3CRET", /by no path/],
  ["sc://h;token=S3CRET", /begin with "\/;"/],
  ["sc://h?token=S3CRET", /by no path/],
  ["sc://h/;S3CRET", /number 1 is not of the form key=value/],
  ["sc://h/;a=1;=S3CRET", /number 2 is not of the form key=value/],
  ["sc://h/;token=S3CRET;token=S3CRET", /"token" is there twice/],
  ["sc://h/;token=S3CRET%zz", /value of "token" has a %/],
  ["sc://h/;token=", /the token must be ASCII/],
  ["sc://h/;token=S3CRET%20S3CRET", /the token must be ASCII/],
  ["sc://h/;use_ssl=S3CRET", /use_ssl must be true or false/],
  ["sc://h/;session_id=S3CRET", /session_id must be a UUID/],
  [`sc://h/;user_agent=${"S3CRET".repeat(400)}`, /longer than 2048/],
  ["sc://h/;content-type=S3CRET", /can't be a header/],
  ["sc://h/;x y=S3CRET", /can't be a header/],
  ["sc://h/;x-y=S3CRET%0A", /must be ASCII/],
])("%s is refused by what is wrong with it, its values untold", (url, why) => {
  const refused = (() => {
    try {
      return parse(url);
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(IllegalArgumentError);
  expect((refused as Error).message).toMatch(why);
  expect((refused as Error).message).not.toContain("S3CRET");
});

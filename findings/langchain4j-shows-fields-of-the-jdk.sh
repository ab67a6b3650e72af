#!/usr/bin/env bash
# LangChain4j describes a URI in a tool's parameters by the private fields of the JDK's class, and accepts only what is against the schema.
#
# Software: langchain4j 1.19.0 (Maven Central) on JDK 17: `ToolSpecifications` makes the schema that the model gets, `DefaultToolExecutor` runs the call.
# Input: tools with one parameter, a record with one component of a type of the JDK. Each is called twice: with the smallest value that follows the
# schema, and with the string that such a value is in JSON everywhere else.
# Expected by most readers: a URI, a currency or a point in time is a string, perhaps with a format; `Optional` makes a property optional. At
# least a call that follows the schema works.
# Seen: `URI` is an object with 17 required properties, among them `decodedSchemeSpecificPart` and `hash`; `Date` has `fastTime` and `cdate`, `Currency` has
# `defaultFractionDigits`, `Optional<String>` is a required object with a required object `value`. A call that follows any of these schemas
# fails. A plain string works for URI, Date and Currency, although the schema forbids it. `Instant` and `Optional` fail either way, and an
# `Optional` is only accepted when it is absent, which the schema forbids too. `LocalDate` alone is well: both forms work. A
# server that constrains the model to the schema makes these tools impossible to call. The fields depend on the version of the JDK.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>tools</artifactId>
  <version>0</version>
  <dependencies>
    <dependency>
      <groupId>dev.langchain4j</groupId>
      <artifactId>langchain4j</artifactId>
      <version>1.19.0</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>2.0.17</version>
    </dependency>
  </dependencies>
</project>
XML
timeout 400 mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies -DoutputDirectory=libraries >log 2>&1 || { cat log; exit 1; }

cat >Types.java <<'JAVA'
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecifications;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.service.tool.DefaultToolExecutor;
import java.net.URI;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Currency;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

public class Types {
  record Link(URI value) {}
  record Day(Date value) {}
  record Price(Currency value) {}
  record Moment(Instant value) {}
  record Note(Optional<String> value) {}
  record Birthday(LocalDate value) {}

  static class Tools {
    @Tool public String uri(Link it) { return it.value().toString(); }
    @Tool public String date(Day it) { return it.value().toInstant().toString(); }
    @Tool public String currency(Price it) { return it.value().toString(); }
    @Tool public String instant(Moment it) { return it.value().toString(); }
    @Tool public String optional(Note it) { return String.valueOf(it.value()); }
    @Tool public String localDate(Birthday it) { return it.value().toString(); }
  }

  static String smallest(JsonSchemaElement schema) {
    if (schema instanceof JsonObjectSchema object) {
      return object.required().stream().map(key -> '"' + key + "\": " + smallest(object.properties().get(key))).collect(Collectors.joining(", ", "{", "}"));
    }
    return schema instanceof JsonIntegerSchema ? "1" : "\"a\"";
  }

  static String call(String name, String record) throws Exception {
    var tools = new Tools();
    for (var method : Tools.class.getDeclaredMethods()) {
      if (!method.getName().equals(name)) continue;
      var request = ToolExecutionRequest.builder().id("call_1").name(name).arguments("{\"it\": " + record + "}").build();
      try {
        return new DefaultToolExecutor(tools, method).execute(request, "memory");
      } catch (RuntimeException error) {
        return "refused";
      }
    }
    throw new IllegalArgumentException(name);
  }

  public static void main(String[] arguments) throws Exception {
    for (var type : List.of("uri https://example.org/a", "date 2026-11-29T09:00:00Z", "currency EUR", "instant 2026-11-29T09:00:00Z", "optional a", "localDate 2026-11-29")) {
      String name = type.split(" ")[0];
      var tool = ToolSpecifications.toolSpecificationsFrom(Tools.class).stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
      var record = (JsonObjectSchema) tool.parameters().properties().get("it");
      var schema = (JsonObjectSchema) record.properties().get("value");
      if (!record.required().equals(List.of("value"))) throw new IllegalStateException(name);
      System.out.println(name + " requires " + schema.required().stream().sorted().toList());
      System.out.println("  by the schema: " + call(name, "{\"value\": " + smallest(schema) + "}"));
      System.out.println("  a string: " + call(name, "{\"value\": \"" + type.split(" ")[1] + "\"}"));
      if (name.equals("optional")) System.out.println("  absent: " + call(name, "{}"));
    }
  }
}
JAVA
javac --release 17 -parameters -cp 'libraries/*' Types.java
seen=$(timeout 60 java -cp 'libraries/*:.' Types)
echo "$seen"
[[ $seen == "uri requires [authority, decodedAuthority, decodedFragment, decodedPath, decodedQuery, decodedSchemeSpecificPart, decodedUserInfo, fragment, hash, host, path, port, query, scheme, schemeSpecificPart, string, userInfo]
  by the schema: refused
  a string: https://example.org/a
date requires [cdate, fastTime]
  by the schema: refused
  a string: 2026-11-29T09:00:00Z
currency requires [currencyCode, defaultFractionDigits, numericCode]
  by the schema: refused
  a string: EUR
instant requires [nanos, seconds]
  by the schema: refused
  a string: refused
optional requires [value]
  by the schema: refused
  a string: refused
  absent: null
localDate requires [day, month, year]
  by the schema: 0001-01-01
  a string: 2026-11-29" ]]

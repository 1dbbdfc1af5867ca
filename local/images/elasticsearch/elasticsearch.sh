#!/bin/bash
# Starts Elasticsearch by the rules of the official image: variables with a dot in their names are settings, and
# ES_JAVA_OPTS goes to Java.
set -eu
home=/usr/share/elasticsearch
cd "$home"
settings=()
while IFS='=' read -r -d '' name value; do
  if [[ $name =~ ^[a-z0-9_]+(\.[a-z0-9_]+)+$ ]]; then
    settings+=("-E$name=$value")
  fi
done < <(env --null)
# Where JNA's own library unpacks code: the server gives it the right to.
export LIBFFI_TMPDIR=/tmp
# shellcheck disable=SC2086 - several options in one variable
exec java -Djava.security.manager=allow --add-opens=java.base/java.io=ALL-UNNAMED \
  -Djava.io.tmpdir=/tmp -Djna.tmpdir=/tmp -Djna.nosys=true -Dfile.encoding=UTF-8 \
  -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true \
  -Des.path.home="$home" -Des.path.conf="$home/config" \
  -Des.distribution.flavor=default -Des.distribution.type=docker -Des.bundled_jdk=false \
  ${ES_JAVA_OPTS:-} -cp "$home/lib/*" org.elasticsearch.bootstrap.Elasticsearch "${settings[@]}"

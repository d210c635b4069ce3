#!/bin/sh
# Asks a running `stepwright serve` with nothing but curl. Usage: ask.sh [ADDRESS] [MODEL]
set -eu
address=${1:-http://127.0.0.1:8080}
model=${2:-default}

post() {
  curl --silent --show-error --fail-with-body --no-buffer "$address$1" \
    --header 'content-type: application/json' \
    --header "authorization: Bearer ${STEPWRIGHT_API_KEY:-none}" \
    --data "$2"
  echo
}

question='"messages": [{"role": "user", "content": "A baker bakes 7 trays with 12 rolls each. How many rolls?"}]'

echo '# A whole answer'
post /v1/chat/completions "{\"model\": \"$model\", $question, \"seed\": 0}"

echo '# A stream: steps leave as they are decided'
post /v1/chat/completions "{\"model\": \"$model\", $question, \"stream\": true, \"stream_options\": {\"include_usage\": true}}"

echo '# Another method for this one request, and a hard limit'
post /v1/chat/completions "{\"model\": \"$model\", $question, \"stepwright\": {\"method\": \"target\", \"budget\": {\"target-tokens\": 20}}}"

echo '# What the reward says of given steps'
post /v1/rewards "{\"model\": \"$model\", \"question\": \"2 + 2?\", \"steps\": [\"2 + 2 = 4\"]}"

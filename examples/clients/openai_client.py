# A stepwright server through OpenAI's Python SDK, unchanged.
#   pip install openai
#   STEPWRIGHT_URL=http://127.0.0.1:8080/v1 python examples/clients/openai_client.py
import os
import sys

import openai

client = openai.OpenAI(
    base_url=os.environ.get("STEPWRIGHT_URL", "http://127.0.0.1:8080/v1"),
    api_key=os.environ.get("STEPWRIGHT_API_KEY", "none needed on this machine"),
)
question = sys.argv[1] if len(sys.argv) > 1 else "A farmer has 17 rows of 23 trees. How many trees?"
messages = [{"role": "user", "content": question}]

print("models:", ", ".join(model.id for model in client.models.list()))

whole = client.chat.completions.create(model="rsd/default", messages=messages, seed=1)
details = whole.usage.completion_tokens_details
print("whole:", whole.choices[0].message.content)
print(
    f"{whole.usage.completion_tokens} tokens, drafts kept {details.accepted_prediction_tokens}, "
    f"thrown away {details.rejected_prediction_tokens}"
)

# Steps leave as they are accepted; the method's options go in `extra_body`.
stream = client.chat.completions.create(
    model="default",
    messages=messages,
    seed=1,
    stream=True,
    stream_options={"include_usage": True},
    extra_body={"stepwright": {"method": "rsd", "options": {"threshold": 0.5}}},
)
text, total = "", 0
for chunk in stream:
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    if chunk.usage:
        total = chunk.usage.total_tokens
print("streamed:", text)
print(total, "tokens in all")

try:
    client.chat.completions.create(model="no-such-model", messages=messages)
except openai.APIStatusError as error:
    print("refused:", error.status_code, error.code)

#!/bin/bash
# A real LiteLLM proxy on loopback, in front of the Chat Completions server at BASE_URL, whose model it calls the-model.
# Its configuration is written to FILE. usage: run.sh PORT FILE BASE_URL, or: run.sh prepare
# What it needs (PyPI wheels) goes to .tools/litellm, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT FILE BASE_URL}

install() { wheels --requirement "$here/requirements.txt"; }
source "$here/../installed.sh"

file=${2:?usage: run.sh PORT FILE BASE_URL}
cat > "$file.yaml" <<YAML
model_list:
- model_name: the-model
  litellm_params: { model: openai/the-model, api_base: "${3:?usage: run.sh PORT FILE BASE_URL}", api_key: none }
litellm_settings: { num_retries: 0 }
router_settings: { num_retries: 0, disable_cooldowns: true }
general_settings: { dangerously_permit_weak_or_unset_master_key: true }
YAML
# Otherwise it fetches the prices of models.
LITELLM_LOCAL_MODEL_COST_MAP=True exec "$tools/venv/bin/litellm" --config "$file.yaml" --host 127.0.0.1 --port "$port" --telemetry False

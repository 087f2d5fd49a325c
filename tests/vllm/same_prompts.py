"""Run where vLLM-Omni is: v3's prompts are, id for id and row for row, those of its own adapter."""

import sys

import numpy as np
import torch
from transformers import AutoTokenizer
from vllm_omni.model_executor.models.higgs_audio_v3.higgs_audio_v3_tokenizer import (
    HiggsAudioV3TokenizerAdapter,
    apply_delay_pattern,
)

from lectern_triton.higgs_engine.prompts.v3 import Prompts

TEXTS = ["The sun rises in the east.", "Ein Satz; 日本語 😀", " Two\n\nparagraphs, 3.5 % "]

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], local_files_only=True)
adapter = HiggsAudioV3TokenizerAdapter(tokenizer)
prompts = Prompts(tokenizer)
for frames in (13, 40):
    codes = np.random.default_rng(frames).integers(0, 1024, (frames, 8)).astype(np.int16)
    rows = apply_delay_pattern(torch.from_numpy(codes.astype(np.int64)))
    for text in TEXTS:
        for reference_text in ("", "This is the reference."):
            built = adapter.build_prompt(text, num_ref_tokens=len(rows), reference_text=reference_text)
            ids, places = adapter.prepare_prompt_for_engine(built)
            prompt = prompts.build(text, reference_text, codes)
            assert prompt.ids == ids
            assert list(prompt.places) == places.tolist()
            assert prompt.rows.tolist() == rows.tolist()

usual = prompts.build("Say it.", "Words.", codes).ids
for mark in ("<|audio|>", "<|text|>", "<|ref_audio|>", "<|endoftext|>"):
    number = tokenizer.convert_tokens_to_ids(mark)
    for text, reference_text in ((mark, "Words."), ("Say it.", mark)):
        assert prompts.build(text, reference_text, codes).ids.count(number) == usual.count(number), mark

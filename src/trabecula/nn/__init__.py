"""Networks in general, no mechanics: blocks, nets, distill, compress, profile, tune, graph.

Works on any `torch.nn.Module` and imports nothing else of trabecula. Needs the extra `learn`
(`pip install 'trabecula[learn]'`).
"""

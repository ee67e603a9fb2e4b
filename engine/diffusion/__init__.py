"""What is computed: noise schedule, guidance and samplers, on any callable denoiser; knows no net."""

"""What happens next: states, scheduler, budget, retries, forecast. Pure: no clock, no disk, no process."""

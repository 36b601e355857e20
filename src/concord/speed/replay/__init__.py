"""The speed layer's tables made anew from the lake, and a checkpoint from which its queries go on with Kafka."""

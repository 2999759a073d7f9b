"""All that knows the vendor's wire format; what leaves this room is a Task or an ApiError."""
